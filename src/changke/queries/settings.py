"""Settings: one frozen dataclass a section, its shipped values as defaults, the saved ones from the database."""

from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from changke.records.models import Setting
from changke.rules.birthdays import BirthdaySettings
from changke.rules.groups import GroupSettings
from changke.rules.lifecycle import LifecycleSettings
from changke.rules.members import MemberSettings
from changke.rules.rfm import RfmSettings
from changke.rules.schedules import RfmSchedule
from changke.rules.staff import SecuritySettings

Section = TypeVar("Section")

SECTIONS: Final[dict[str, type[Any]]] = {
    "birthdays": BirthdaySettings,
    "groups": GroupSettings,
    "lifecycle": LifecycleSettings,
    "members": MemberSettings,
    "rfm": RfmSettings,
    "rfm_schedule": RfmSchedule,
    "security": SecuritySettings,
}


def load_setting(shape: type[Section]) -> Section:
    """Return a section as saved, or as shipped where nobody has changed it; one query by key."""
    value = Setting.objects.filter(section=name_of(shape)).values_list("value", flat=True).first()
    return shape() if value is None else TypeAdapter(shape).validate_python(value)


def name_of(shape: type[Any]) -> str:
    """Return the name a section is saved under; KeyError where the shape is not registered."""
    return {known: name for name, known in SECTIONS.items()}[shape]


def spell_setting(value: object) -> dict[str, Any]:
    """Return a section as JSON types, for the database and for the audit."""
    return dict(TypeAdapter(type(value)).dump_python(value, mode="json"))
