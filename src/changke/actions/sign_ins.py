"""Sign-ins: passwords, locks and second factors reset by head office; one's own language and sessions."""

from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.utils import reset as lift_lock
from django.conf import settings
from django.db import transaction

from changke.actions.steps.audit import record_audit
from changke.actions.steps.passwords import set_initial_password
from changke.kernel.errors import fail
from changke.records.models import Staff, User
from changke.rules.staff import Permission, Viewer, require


@transaction.atomic
def reset_password(actor: Viewer, *, staff_id: int, now: datetime, password: str = "") -> str:
    """Give somebody a new initial password (drawn where none is given) and return it; it ends all their sessions."""
    require(actor, permission=Permission.EDIT_STAFF)
    user = _lock_user(staff_id)
    chosen = set_initial_password(user, password=password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    _audit(actor, staff_id=staff_id, action="reset_password", now=now)
    return chosen


@transaction.atomic
def unlock_sign_in(actor: Viewer, *, staff_id: int, now: datetime) -> None:
    """Lift the lock that too many wrong passwords have set."""
    require(actor, permission=Permission.EDIT_STAFF)
    user = _lock_user(staff_id)
    lift_lock(username=user.username)
    _audit(actor, staff_id=staff_id, action="unlock_sign_in", now=now)


@transaction.atomic
def remove_second_factor(actor: Viewer, *, staff_id: int, now: datetime) -> None:
    """Take away a lost second factor and its recovery codes; never one's own, that needs the factor itself."""
    require(actor, permission=Permission.EDIT_STAFF)
    if actor.staff_id == staff_id:
        raise fail("own_factor", "Take away your own second factor on your account page.")
    user = _lock_user(staff_id)
    removed, _ = Authenticator.objects.filter(user=user).delete()
    if removed:
        _audit(actor, staff_id=staff_id, action="remove_second_factor", now=now)


@transaction.atomic
def end_sessions(actor: Viewer, *, staff_id: int, now: datetime) -> None:
    """Sign somebody out everywhere."""
    require(actor, permission=Permission.EDIT_STAFF)
    _end_sessions(_lock_user(staff_id).id, kept_key="")
    _audit(actor, staff_id=staff_id, action="end_sessions", now=now)


@transaction.atomic
def end_own_sessions(actor: Viewer, *, kept_key: str, now: datetime) -> None:
    """Sign the actor out everywhere but in the session of `kept_key`."""
    _end_sessions(_own(actor), kept_key=kept_key)
    _audit(actor, staff_id=actor.staff_id, action="end_own_sessions", now=now)


@transaction.atomic
def choose_language(actor: Viewer, *, language: str) -> None:
    """Remember the language the actor reads; no audit row, it changes nothing for anybody else."""
    if language not in dict(settings.LANGUAGES):
        raise fail("language_unknown", "This language is not offered.", field="language")
    User.objects.filter(id=_own(actor)).update(language=language)


@transaction.atomic
def change_own_password(actor: Viewer, *, password: str, now: datetime) -> None:
    """Set the password that the actor chose; a new one is owed no longer, and sessions elsewhere end."""
    user = User.objects.select_for_update().get(id=_own(actor))
    user.set_password(password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    _audit(actor, staff_id=actor.staff_id, action="change_own_password", now=now)


@transaction.atomic
def note_sign_in_change(actor: Viewer, *, action: str, now: datetime) -> None:
    """Write the audit row of a change that the actor made to their own second factor."""
    _audit(actor, staff_id=actor.staff_id, action=action, now=now)


def _own(actor: Viewer) -> int:
    if actor.user_id is None:
        raise fail("no_sign_in", "A program has no sign-in of its own.")
    return actor.user_id


def _lock_user(staff_id: int) -> User:
    user_id: Any = Staff.objects.values_list("user_id", flat=True).get(id=staff_id)
    if user_id is None:
        raise fail("no_sign_in", "This person has no sign-in.")
    return User.objects.select_for_update().get(id=user_id)


def _end_sessions(user_id: int, *, kept_key: str) -> None:
    for session in UserSession.objects.filter(user_id=user_id).exclude(session_key=kept_key):
        session.end()


def _audit(actor: Viewer, *, staff_id: int | None, action: str, now: datetime) -> None:
    record_audit(actor, now=now, action=action, subject_kind="staff", subject_id=staff_id)
