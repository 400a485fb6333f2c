"""The company that runs this system (one row), its regions and its settings."""

from django.db import models
from django.db.models import Q


class Company(models.Model):
    id = models.SmallIntegerField(primary_key=True, default=1)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=60)
    jurisdiction = models.CharField(max_length=20, default="china")
    data_note = models.CharField(max_length=300, blank=True)  # attribution of real data that is not the company's own
    is_simulated = models.BooleanField(default=False)  # every page then says so
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "company"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="company_single_row")]

    def __str__(self) -> str:
        return self.name


class Region(models.Model):
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)

    class Meta:
        db_table = "regions"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Setting(models.Model):
    """One section of settings as JSON; its shape and shipped values are a dataclass in rules/."""

    section = models.CharField(max_length=40, primary_key=True)
    value = models.JSONField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey("records.User", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "settings"

    def __str__(self) -> str:
        return self.section
