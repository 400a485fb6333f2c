"""Stores."""

from django.db import models

from changke.kernel.ids import new_public_id
from changke.records.fields import one_of
from changke.rules.stores import Ownership


class Store(models.Model):
    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    region = models.ForeignKey("records.Region", null=True, blank=True, on_delete=models.PROTECT)
    ownership = models.CharField(max_length=10, default=Ownership.OWN)
    time_zone = models.CharField(max_length=60)
    day_ends_at = models.TimeField(default="00:00")  # a day may end at 04:00 of the next one
    hours = models.JSONField(default=dict)  # {"mon": ["09:00", "21:00"], ...}; a missing day is closed
    address = models.CharField(max_length=300, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    picture = models.ForeignKey("records.Upload", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    floor_plan = models.ForeignKey("records.Upload", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    opened_on = models.DateField(null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "stores"
        ordering = ["code"]
        constraints = [one_of("ownership", Ownership, name="stores_ownership")]

    def __str__(self) -> str:
        return self.name
