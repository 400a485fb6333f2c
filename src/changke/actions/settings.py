"""Settings: one section at a time, checked against its dataclass."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from pydantic import TypeAdapter, ValidationError

from changke.actions.steps.audit import changed_fields, record_audit
from changke.kernel.errors import ChangkeError, Problem, fail
from changke.queries.settings import SECTIONS, load_setting, name_of, spell_setting
from changke.records.models import Setting
from changke.rules.staff import Permission, Viewer, require


@transaction.atomic
def save_setting(actor: Viewer, *, value: object, now: datetime) -> None:
    """Save one section of settings, given as its frozen dataclass; unchanged values write nothing."""
    require(actor, permission=Permission.EDIT_SETTINGS)
    section = name_of(type(value))
    # Two savers take turns on the row; where it does not exist yet, the second waits for the first one's insert.
    shipped = {"value": spell_setting(load_setting(type(value))), "changed_at": now}
    Setting.objects.get_or_create(section=section, defaults=shipped)
    row = Setting.objects.select_for_update().get(section=section)
    before, after = changed_fields(row.value, spell_setting(value))
    if after:
        row.value, row.changed_at, row.changed_by_id = spell_setting(value), now, actor.user_id
        row.save()
        record_audit(
            actor,
            now=now,
            action="save_setting",
            subject_kind=f"setting:{section}",
            subject_id=None,
            before=before,
            after=after,
        )


def read_setting(section: str, *, values: Mapping[str, Any]) -> object:
    """Build a section from what a form or a file brought; ChangkeError names each field that does not fit."""
    if section not in SECTIONS:
        raise fail("section_unknown", "There are no settings named %(section)s.", section=section)
    try:
        return TypeAdapter(SECTIONS[section]).validate_python(dict(values))
    except ValidationError as error:
        raise ChangkeError(
            *(
                Problem(
                    code="setting_refused",
                    field=".".join(str(part) for part in found["loc"]),
                    message="This value does not fit: %(why)s",
                    values=(("why", found["msg"]),),
                )
                for found in error.errors()
            )
        ) from None
