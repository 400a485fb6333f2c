"""Segments: a saved condition tree (always current) or a fixed list, who may see it, and its size over time."""

from django.db import models
from django.db.models import Q

from changke.kernel.ids import new_public_id
from changke.records.fields import one_of

SHARING = ("private", "store", "company")


class Segment(models.Model):
    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    note = models.CharField(max_length=500, blank=True)
    tree = models.JSONField()  # rules.segments; a fixed list is a tree of one condition on its member ids
    sharing = models.CharField(max_length=7, default="private")
    store = models.ForeignKey("records.Store", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey("records.User", null=True, on_delete=models.PROTECT, related_name="+")
    is_shipped = models.BooleanField(default=False)
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "segments"
        constraints = [
            one_of("sharing", SHARING, name="segments_sharing"),
            models.CheckConstraint(
                condition=Q(sharing="store", store__isnull=False) | ~Q(sharing="store"), name="segments_store_named"
            ),
            models.UniqueConstraint(fields=["name"], condition=Q(archived_at=None), name="segments_name"),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentSize(models.Model):
    """How many members a segment had on an analysis date: one point of its curve."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes")
    as_of = models.DateField()
    measured_at = models.DateTimeField()
    size = models.IntegerField()

    class Meta:
        db_table = "segment_sizes"
        constraints = [models.UniqueConstraint(fields=["segment", "as_of"], name="segment_sizes_day")]

    def __str__(self) -> str:
        return f"{self.segment_id} {self.as_of}"


class SavedView(models.Model):
    """A filter, sorting and choice of columns of a list page that somebody named."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    user = models.ForeignKey("records.User", on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000)

    class Meta:
        db_table = "saved_views"
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_views_name")]

    def __str__(self) -> str:
        return self.name
