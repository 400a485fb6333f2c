"""Addresses of the back office, one list a noun."""

from django.urls import URLPattern, URLResolver

from changke.console import (
    account,
    audit,
    background,
    components,
    find,
    insight_goods,
    insight_loyalty,
    insight_members,
    insight_people,
    insight_rfm,
    insight_stores,
    products,
    regions,
    settings,
    staff,
    stores,
    today,
    uploads,
)

urlpatterns: list[URLPattern | URLResolver] = [
    *today.urlpatterns,
    *insight_rfm.urlpatterns,
    *insight_loyalty.urlpatterns,
    *insight_people.urlpatterns,
    *insight_goods.urlpatterns,
    *insight_stores.urlpatterns,
    *insight_members.urlpatterns,
    *stores.urlpatterns,
    *regions.urlpatterns,
    *products.urlpatterns,
    *staff.urlpatterns,
    *settings.urlpatterns,
    *background.urlpatterns,
    *audit.urlpatterns,
    *uploads.urlpatterns,
    *account.urlpatterns,
    *find.urlpatterns,
    *components.urlpatterns,
]
