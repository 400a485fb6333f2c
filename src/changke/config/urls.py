"""All addresses. lobby/permissions.py says who may open them."""

from django.urls import include, path

from changke.console.urls import urlpatterns as console
from changke.lobby.urls import urlpatterns as lobby

urlpatterns = [*lobby, path("console/", include(console))]

handler400 = "changke.lobby.problems.bad_request"
handler403 = "changke.lobby.problems.permission_denied"
handler404 = "changke.lobby.problems.page_not_found"
handler500 = "changke.lobby.problems.server_error"
