"""Addresses of the back office, one list a noun."""

from django.urls import URLPattern, URLResolver

from changke.console import components, find, insight_members, today

urlpatterns: list[URLPattern | URLResolver] = [
    *today.urlpatterns,
    *insight_members.urlpatterns,
    *find.urlpatterns,
    *components.urlpatterns,
]
