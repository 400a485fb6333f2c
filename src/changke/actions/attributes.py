"""Attributes that users define: fields of the profile without code."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from changke.actions.steps.audit import changed_fields, record_audit
from changke.kernel.checks import raise_problems, refuse_blank, refuse_long
from changke.kernel.errors import Problem, fail
from changke.records.models import AttributeDefinition
from changke.rules.attributes import AttributeKind
from changke.rules.staff import Permission, Viewer, require

KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
WITH_CHOICES: Final = {AttributeKind.CHOICE, AttributeKind.CHOICES}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeForm:
    """A profile field as its author describes it; the key is for ever."""

    key: str
    name: str
    name_en: str = ""
    kind: AttributeKind = AttributeKind.TEXT
    choices: tuple[str, ...] = ()
    is_required: bool = False
    is_visible_to_member: bool = False
    is_sensitive: bool = False
    position: int = 0


@transaction.atomic
def define_attribute(actor: Viewer, *, form: AttributeForm, now: datetime) -> int:
    """Add a field to every profile; returns its id."""
    require(actor, permission=Permission.EDIT_SETTINGS)
    raise_problems(_refuse(form))
    row, is_new = AttributeDefinition.objects.get_or_create(key=form.key, defaults=_columns(form))
    if not is_new:
        raise fail("key_taken", "The key %(key)s is in use.", field="key", key=form.key)
    _audit(actor, row=row, action="define_attribute", before={}, after=_columns(form) | {"key": form.key}, now=now)
    return row.id


@transaction.atomic
def change_attribute(actor: Viewer, *, form: AttributeForm, now: datetime) -> None:
    """Change names, choices, order and duties of a field. Kind and secrecy stay: stored values would not fit them."""
    require(actor, permission=Permission.EDIT_SETTINGS)
    raise_problems(_refuse(form))
    row = _lock(form.key)
    if (row.kind, row.is_sensitive) != (form.kind.value, form.is_sensitive):
        raise fail(
            "attribute_fixed",
            "The kind and the secrecy of an attribute stay as they are.",
            cure="Retire it and define another one.",
            field="kind",
        )
    columns = _columns(form)
    before, after = changed_fields({key: getattr(row, key) for key in columns}, columns)
    if after:
        AttributeDefinition.objects.filter(id=row.id).update(**after)
        _audit(actor, row=row, action="change_attribute", before=before, after=after, now=now)


@transaction.atomic
def retire_attribute(actor: Viewer, *, key: str, now: datetime) -> None:
    """Take a field off the forms; what is stored stays stored."""
    _set_retired(actor, key=key, is_retired=True, now=now)


@transaction.atomic
def bring_back_attribute(actor: Viewer, *, key: str, now: datetime) -> None:
    """Put a retired field back on the forms, with what was stored."""
    _set_retired(actor, key=key, is_retired=False, now=now)


def _set_retired(actor: Viewer, *, key: str, is_retired: bool, now: datetime) -> None:
    require(actor, permission=Permission.EDIT_SETTINGS)
    row = _lock(key)
    if row.is_retired != is_retired:
        AttributeDefinition.objects.filter(id=row.id).update(is_retired=is_retired)
        action = "retire_attribute" if is_retired else "bring_back_attribute"
        _audit(
            actor,
            row=row,
            action=action,
            before={"is_retired": row.is_retired},
            after={"is_retired": is_retired},
            now=now,
        )


def _lock(key: str) -> AttributeDefinition:
    row = AttributeDefinition.objects.select_for_update().filter(key=key).first()
    if row is None:
        raise fail("attribute_unknown", "There is no such attribute.", field="key")
    return row


def _refuse(form: AttributeForm) -> list[Problem]:
    problems = [
        *refuse_blank(form.name, field="name", longest=80),
        *refuse_long(form.name_en, field="name_en", longest=80),
    ]
    if not KEY.fullmatch(form.key):
        problems.append(
            Problem(
                code="not_a_key",
                field="key",
                message="Use small letters, digits and underscores, beginning with a letter; at most 40.",
            )
        )
    has_choices = bool(form.choices)
    if has_choices != (form.kind in WITH_CHOICES) or any(not c.strip() or "|" in c for c in form.choices):
        problems.append(
            Problem(
                code="choices_refused",
                field="choices",
                message="A choice needs its choices, one a line and without the sign |; other kinds have none.",
            )
        )
    return problems


def _columns(form: AttributeForm) -> dict[str, Any]:
    columns = asdict(form) | {"kind": form.kind.value, "choices": [choice.strip() for choice in form.choices]}
    del columns["key"]
    return columns


def _audit(
    actor: Viewer,
    *,
    row: AttributeDefinition,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
    now: datetime,
) -> None:
    record_audit(
        actor,
        now=now,
        action=action,
        subject_kind="attribute_definition",
        subject_id=row.id,
        before=before,
        after=after,
    )
