"""Addresses of the back office, one list a noun."""

from django.urls import URLPattern, URLResolver

from changke.console import components, find

urlpatterns: list[URLPattern | URLResolver] = [
    *find.urlpatterns,
    *components.urlpatterns,
]
