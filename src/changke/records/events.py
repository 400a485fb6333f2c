"""What happened, append-only, written in the same transaction as its effect.

Readers take rows whose `xid` is below pg_snapshot_xmin(pg_current_snapshot()): never max(id), never a time.
"""

from django.db import models

from changke.records.fields import TransactionId


class Event(models.Model):
    xid = models.BigIntegerField(db_default=TransactionId(), editable=False)
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    member_id = models.BigIntegerField(null=True)
    store_id = models.BigIntegerField(null=True)
    subject_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)  # ids and coarse attributes only

    class Meta:
        db_table = "events"
        indexes = [
            models.Index(fields=["xid", "id"], name="events_reader"),
            models.Index(
                fields=["member_id", "-id"], name="events_member", condition=models.Q(member_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class EventReader(models.Model):
    """How far a reader of the events has come: everything below `xid` is done."""

    name = models.CharField(max_length=40, primary_key=True)
    xid = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "event_readers"

    def __str__(self) -> str:
        return self.name
