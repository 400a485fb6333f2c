"""Analytic work that is kept: refreshes of the lake, RFM runs, the wake-up opportunities that decide who is lost."""

from django.db import models

from changke.kernel.ids import new_public_id
from changke.records.fields import one_of

STATES = ("running", "done", "failed")
ORIGINS = ("manual", "monthly", "quarterly", "import", "demo")


class LakeRefresh(models.Model):
    version = models.CharField(max_length=60, blank=True)
    is_full = models.BooleanField()
    state = models.CharField(max_length=8, default="running")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    as_of = models.DateField(null=True)
    sales_changed = models.IntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "lake_refreshes"
        constraints = [one_of("state", STATES, name="lake_refreshes_state")]

    def __str__(self) -> str:
        return self.version


class RfmRun(models.Model):
    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=120, blank=True)
    as_of = models.DateField()
    settings = models.JSONField()
    summary = models.JSONField(default=dict)
    state = models.CharField(max_length=8, default="running")
    origin = models.CharField(max_length=10, default="manual")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    made_by = models.ForeignKey("records.User", null=True, on_delete=models.PROTECT, related_name="+")
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "rfm_runs"
        constraints = [
            one_of("state", STATES, name="rfm_runs_state"),
            one_of("origin", ORIGINS, name="rfm_runs_origin"),
            models.UniqueConstraint(
                fields=["as_of", "origin"],
                condition=models.Q(origin__in=["monthly", "quarterly"]),
                name="rfm_runs_one_a_slot",
            ),
        ]
        indexes = [models.Index(fields=["-as_of", "-id"], name="rfm_runs_newest")]

    def __str__(self) -> str:
        return self.name or str(self.as_of)


class Opportunity(models.Model):
    """A wake-up that was due for a sleeping member: sent, or withheld for a reason (control group, no consent, cap)."""

    member = models.ForeignKey("records.Member", on_delete=models.PROTECT, db_index=False)
    due_on = models.DateField()
    offer_ends_on = models.DateField()
    withheld = models.CharField(max_length=20, blank=True)

    class Meta:
        db_table = "opportunities"
        constraints = [
            models.UniqueConstraint(fields=["member", "due_on"], name="opportunities_day"),
            models.CheckConstraint(
                condition=models.Q(offer_ends_on__gte=models.F("due_on")), name="opportunities_offer_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.due_on}"
