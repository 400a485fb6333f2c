"""The consent ledger: every grant and every withdrawal, never edited. The newest row of a pair is in force."""

from django.db import models

from changke.records.fields import one_of
from changke.rules.members import ConsentChannel, ConsentPurpose


class ConsentText(models.Model):
    """A wording that people agreed to, kept for proof."""

    purpose = models.CharField(max_length=10)
    version = models.CharField(max_length=20)
    language = models.CharField(max_length=10)
    body = models.TextField()
    sha256 = models.CharField(max_length=64)
    since = models.DateTimeField()

    class Meta:
        db_table = "consent_texts"
        constraints = [
            models.UniqueConstraint(fields=["purpose", "version", "language"], name="consent_texts_version"),
            one_of("purpose", ConsentPurpose, name="consent_texts_purpose"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.version}"


class Consent(models.Model):
    member = models.ForeignKey("records.Member", on_delete=models.PROTECT, db_index=False)
    channel = models.CharField(max_length=10)
    purpose = models.CharField(max_length=10)
    is_granted = models.BooleanField()
    at = models.DateTimeField()
    given_through = models.CharField(max_length=12)  # rules.members.SourceChannel
    text = models.ForeignKey(ConsentText, null=True, on_delete=models.PROTECT)
    store = models.ForeignKey("records.Store", null=True, on_delete=models.PROTECT, related_name="+")
    staff = models.ForeignKey("records.Staff", null=True, on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=45, blank=True)  # IP address of the form

    class Meta:
        db_table = "consents"
        constraints = [
            one_of("channel", ConsentChannel, name="consents_channel"),
            one_of("purpose", ConsentPurpose, name="consents_purpose"),
        ]
        indexes = [models.Index(fields=["member", "channel", "purpose", "-id"], name="consents_newest")]

    def __str__(self) -> str:
        return f"{self.member_id} {self.channel} {self.purpose}"
