"""Uploaded files, handed out after the question whose they are."""

from typing import Final

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.urls import path
from django.views.decorators.http import require_safe

from changke.gateways.files import open_file
from changke.kernel.clock import utc_now
from changke.lobby.viewer import viewer_of
from changke.queries.uploads import find_upload
from changke.rules.uploads import UploadKind

POLICY: Final = "default-src 'none'; sandbox"


@require_safe
def hand_out(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Hand out a file: pictures to look at, everything else to save; 404 for whose it is not."""
    row = find_upload(viewer_of(request), public_id=public_id, now=utc_now())
    if row is None:
        raise Http404
    try:
        file = open_file(settings.UPLOADS, path=row.path)
    except FileNotFoundError:
        raise Http404 from None
    is_picture = row.kind is UploadKind.PICTURE
    response = FileResponse(file, as_attachment=not is_picture, filename=row.name, content_type=row.content_type)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # A picture never changes under its address, and the address opens only for those who may see it.
    response.headers["Cache-Control"] = "private, max-age=3600" if is_picture else "no-store"
    return response


urlpatterns = [path("files/<slug:public_id>", hand_out, name="upload")]
