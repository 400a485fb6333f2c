"""The Django app of all models."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "changke.records"
    label = "records"
    default_auto_field = "django.db.models.BigAutoField"
