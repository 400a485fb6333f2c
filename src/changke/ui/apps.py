"""The app of the shared look: templates, tags, static files."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "changke.ui"
    label = "ui"
