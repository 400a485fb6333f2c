"""Addresses of the back office, one list a noun."""

from django.urls import URLPattern, URLResolver

from changke.console import (
    components,
    find,
    insight_goods,
    insight_loyalty,
    insight_members,
    insight_people,
    insight_rfm,
    insight_stores,
    today,
)

urlpatterns: list[URLPattern | URLResolver] = [
    *today.urlpatterns,
    *insight_rfm.urlpatterns,
    *insight_loyalty.urlpatterns,
    *insight_people.urlpatterns,
    *insight_goods.urlpatterns,
    *insight_stores.urlpatterns,
    *insight_members.urlpatterns,
    *find.urlpatterns,
    *components.urlpatterns,
]
