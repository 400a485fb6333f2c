"""Imports: what was asked, how far it is, what came of it."""

from django.db import models

from changke.kernel.ids import new_public_id
from changke.records.fields import one_of
from changke.rules.imports.plan import ImportMode, ImportState


class ImportRun(models.Model):
    """One import of a set of files. While it runs, progress is written beside the merging transaction."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    mode = models.CharField(max_length=9)
    profile = models.CharField(max_length=40)
    source = models.CharField(max_length=40, blank=True)  # code; the row of it is made by the first merge
    files = models.JSONField()  # [{"name": as the user knows it, "path": where it lies, "sha256": hex}]
    plan = models.JSONField()  # rules.imports.plan.ImportPlan
    tables = models.JSONField(default=list)  # how each table was read: name, role, encoding, delimiter, columns
    state = models.CharField(max_length=9, default=ImportState.WAITING)
    stage = models.CharField(max_length=10, blank=True)  # rules.imports.words.Stage
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    is_cancel_asked = models.BooleanField(default=False)
    counts = models.JSONField(default=dict)  # rules.imports.counts.CleaningCounts
    merged = models.JSONField(default=dict)  # rules.imports.plan.MergeCounts
    report = models.ForeignKey("records.Upload", null=True, on_delete=models.SET_NULL, related_name="+")
    problems = models.JSONField(default=list)  # of a failed one: kernel.errors.Problem
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    asked_by = models.ForeignKey("records.User", null=True, on_delete=models.PROTECT, related_name="+")
    actor = models.CharField(max_length=150)

    class Meta:
        db_table = "import_runs"
        constraints = [
            one_of("mode", ImportMode, name="import_runs_mode"),
            one_of("state", ImportState, name="import_runs_state"),
        ]
        indexes = [models.Index(fields=["-asked_at", "-id"], name="import_runs_newest")]

    def __str__(self) -> str:
        return self.public_id


class ImportedDay(models.Model):
    """First and last day on which a member bought, as an import found it and the member does not show it yet.

    Written in the merge, settled after it in small pieces: the merge holds no member's row while it lasts. Without
    days: all sales of the member are to be asked.
    """

    member_id = models.BigIntegerField()
    first_on = models.DateField(null=True)
    last_on = models.DateField(null=True)

    class Meta:
        db_table = "imported_days"

    def __str__(self) -> str:
        return str(self.member_id)
