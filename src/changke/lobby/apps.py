"""The Django app of sign-in, permissions and middleware."""

from django.apps import AppConfig


class LobbyConfig(AppConfig):
    name = "changke.lobby"
    label = "lobby"
