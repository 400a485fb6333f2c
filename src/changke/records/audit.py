"""Who changed what, when, where and why. Insert-only: a trigger and missing rights refuse the rest."""

from django.db import models


class AuditEntry(models.Model):
    at = models.DateTimeField()
    user = models.ForeignKey("records.User", null=True, on_delete=models.PROTECT, related_name="+")
    actor = models.CharField(max_length=150)  # sign-in, or "command line", "job", "import"
    action = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField(null=True)
    store = models.ForeignKey("records.Store", null=True, on_delete=models.PROTECT, related_name="+")
    place = models.CharField(max_length=60, blank=True)  # address or till
    reason = models.CharField(max_length=300, blank=True)
    before = models.JSONField(default=dict)  # personal values are masked
    after = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_entries"
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_entries_time"),
            models.Index(fields=["subject_kind", "subject_id", "-id"], name="audit_entries_subject"),
            models.Index(fields=["user", "-id"], name="audit_entries_user"),
        ]

    def __str__(self) -> str:
        return self.action
