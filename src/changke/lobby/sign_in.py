"""How staff sign in: which users pass, how their second factor is kept, what a lock-out says."""

import base64
import os
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Final

import segno
import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from axes.helpers import get_cool_off
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest, HttpResponse

from changke.actions.sign_ins import change_own_password, note_sign_in_change
from changke.kernel.clock import utc_now
from changke.lobby.problems import answer_problem
from changke.lobby.viewer import address_of, viewer_of
from changke.queries.sign_ins import load_signed_in
from changke.rules.staff import PERMISSIONS

log = structlog.get_logger("changke.sign_in")

PURPOSE: Final = b"changke second factor v1"
NONCE_BYTES: Final = 12
QUIET: Final = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


class StaffBackend(ModelBackend):
    """Let active staff in by name (small letters) and password; their rights are those of their role."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **others: Any
    ) -> Any:
        return super().authenticate(request, username=(username or "").strip().lower(), password=password, **others)

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(user.is_active and user.kind == "staff")

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:  # noqa: ARG002 - Django's signature
        found = load_signed_in(user_obj.pk, place="") if user_obj.pk else None
        return {f"changke.{right}" for right in PERMISSIONS[found.viewer.role]} if found else set()


class StaffAccountAdapter(DefaultAccountAdapter):
    """Sign-in without sign-up and without e-mail; changes of one's own credentials are audited."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

    def add_message(self, request: HttpRequest, level: int, *words: Any, **more: Any) -> None:
        """Say what changed; that somebody signed in or out they see for themselves."""
        if not QUIET & {*words[:1], more.get("message_template")}:
            super().add_message(request, level, *words, **more)

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)
        log.info("signed_in", user_id=user.pk)
        request.session["started_at"] = request.session["seen_at"] = utc_now().isoformat()

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        super().authentication_failed(request, **credentials)
        log.warning("sign_in_refused")

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Ask for the password again before credentials change, unless it has just been typed to sign in."""
        started_at = datetime.fromisoformat(self.request.session["started_at"])
        if utc_now() - started_at < timedelta(seconds=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT):
            return False
        return super().is_reauthentication_required(app=app, **more)

    def set_password(self, user: Any, password: str) -> None:
        change_own_password(viewer_of(self.request), password=password, now=utc_now())
        user.refresh_from_db()  # the session stays valid by the new hash

    def send_notification_mail(self, template_prefix: str, *_user: Any, **_more: Any) -> None:
        """Take allauth's notice of a changed credential as the moment to write its audit row."""
        action = template_prefix.rsplit("/", 1)[-1]
        if template_prefix.startswith("mfa/"):
            note_sign_in_change(viewer_of(self.request), action=action, now=utc_now())


class EncryptedMfaAdapter(DefaultMFAAdapter):
    """Keep secrets of the second factor encrypted under the master key; draw the QR code without a network."""

    def get_totp_label(self, user: Any) -> str:
        return str(user.username)

    def build_totp_svg(self, url: str) -> str:
        drawing = BytesIO()
        segno.make(url, micro=False).save(drawing, kind="svg", scale=5, border=2, light="#ffffff", xmldecl=False)
        return drawing.getvalue().decode()

    def encrypt(self, text: str) -> str:
        nonce = os.urandom(NONCE_BYTES)
        return base64.b64encode(nonce + AESGCM(settings.MASTER_KEY).encrypt(nonce, text.encode(), PURPOSE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        raw = base64.b64decode(encrypted_text)
        return AESGCM(settings.MASTER_KEY).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], PURPOSE).decode()


def lock_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """Return the name a try is counted under: the one typed, as small letters."""
    typed = (credentials or {}).get("username") or (request.POST.get("login", "") if request else "")
    return str(typed).strip().lower()


def answer_locked_out(request: HttpRequest, _original: HttpResponse | None, _credentials: Any) -> HttpResponse:
    """Answer 429 with a page that says how long to wait and who can help; the same for names that do not exist."""
    response = answer_problem(request, status=429)
    wait = get_cool_off(request)
    response.headers["Retry-After"] = str(int(wait.total_seconds()) if wait else 900)
    return response
