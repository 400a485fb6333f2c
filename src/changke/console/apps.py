"""The app of the back office."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "changke.console"
    label = "console"
