"""Staff: the person, the role and the stores they may see."""

from django.db import models
from django.db.models import Q

from changke.kernel.ids import new_public_id
from changke.records.fields import one_of
from changke.rules.staff import Role


class Staff(models.Model):
    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20)
    user = models.OneToOneField("records.User", null=True, blank=True, on_delete=models.PROTECT)
    home_store = models.ForeignKey("records.Store", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    stores = models.ManyToManyField("records.Store", blank=True, related_name="staff")
    phone = models.CharField(max_length=20, blank=True)
    started_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "staff"
        ordering = ["code"]
        constraints = [
            one_of("role", Role, name="staff_role"),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True)
                | Q(started_on__isnull=True)
                | Q(ended_on__gte=models.F("started_on")),
                name="staff_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.name
