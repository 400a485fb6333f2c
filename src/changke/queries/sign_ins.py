"""Who signs in: the viewer behind a user, their duties, their sessions and locks."""

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, OuterRef, Q

from changke.queries.settings import load_setting
from changke.records.models import Staff
from changke.rules.staff import Role, SecuritySettings, StaffCard, Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A viewer and what they owe before anything else opens."""

    viewer: Viewer
    must_change_password: bool
    must_add_second_factor: bool
    has_second_factor: bool
    security: SecuritySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One browser that is signed in."""

    key: str
    started_at: datetime
    seen_at: datetime
    place: str
    browser: str


def load_signed_in(user_id: int, *, place: str) -> SignedIn | None:
    """Return who a user is in two queries; None for a member, for who has left, for a switched-off sign-in."""
    staff = (
        Staff.objects.filter(user_id=user_id, user__is_active=True, user__kind="staff", ended_on=None)
        .select_related("user")
        .annotate(
            reach=ArrayAgg("stores", filter=Q(stores__isnull=False), default=[]),
            has_factor=Exists(Authenticator.objects.filter(user_id=OuterRef("user_id"), type="totp")),
        )
        .first()
    )
    if staff is None or staff.user is None:
        return None
    security = load_setting(SecuritySettings)
    card = StaffCard(
        code=staff.code,
        name=staff.name,
        role=Role(staff.role),
        home_store_id=staff.home_store_id,
        store_ids=frozenset(staff.reach),
    )
    viewer = Viewer(
        user_id=user_id,
        staff_id=staff.id,
        name=staff.name,
        role=card.role,
        store_ids=card.scope,
        place=place,
        language=staff.user.language,
    )
    return SignedIn(
        viewer=viewer,
        must_change_password=staff.user.must_change_password,
        must_add_second_factor=card.role in security.second_factor_roles and not staff.has_factor,
        has_second_factor=staff.has_factor,
        security=security,
    )


def list_own_sessions(viewer: Viewer) -> tuple[SessionRow, ...]:
    """Return the viewer's living sessions, the newest first; dead ones are cleared away by the library at sign-in."""
    rows = UserSession.objects.filter(user_id=viewer.user_id).order_by("-last_seen_at")
    return tuple(
        SessionRow(
            key=row.session_key,
            started_at=row.created_at,
            seen_at=row.last_seen_at,
            place=row.ip,
            browser=row.user_agent,
        )
        for row in rows
        if row.exists()
    )


def is_locked_out(username: str, *, now: datetime) -> bool:
    """Say whether too many wrong passwords lock a name at present, from any address."""
    since = now - settings.AXES_COOLOFF_TIME
    attempts = AccessAttempt.objects.filter(username=username, attempt_time__gte=since)
    return bool(attempts.filter(failures_since_start__gte=settings.AXES_FAILURE_LIMIT).exists())
