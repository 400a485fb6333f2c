"""Files that people uploaded or that the system made for them; served only after a permission check."""

from django.db import models

from changke.kernel.ids import new_public_id
from changke.records.fields import one_of

KINDS = ("picture", "import", "import_report", "export")


class Upload(models.Model):
    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    kind = models.CharField(max_length=14)
    name = models.CharField(max_length=200)  # as the user knows it
    path = models.CharField(max_length=300)  # below <home>/uploads
    content_type = models.CharField(max_length=100)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("records.User", null=True, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "uploads"
        constraints = [one_of("kind", KINDS, name="uploads_kind")]

    def __str__(self) -> str:
        return self.name
