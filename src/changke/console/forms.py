"""What the forms of the back office share: problems beside their fields, choices of stores and regions."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from django import forms
from django.http import HttpRequest

from changke.kernel.errors import ChangkeError
from changke.lobby.problems import say
from changke.queries.company import list_regions
from changke.queries.stores import list_stores
from changke.rules.staff import Viewer
from changke.ui.templatetags.ui import local_name
from changke.ui.words import label


def accept(form: forms.Form, *, act: Callable[[], Any], fields: Mapping[str, str] | None = None) -> bool:
    """Run an action for a filled-in form; where it is refused put each problem beside its field and say False.

    `fields` names the form's field for a problem's field where the two differ.
    """
    try:
        act()
    except ChangkeError as error:
        for problem in error.problems:
            field = (fields or {}).get(problem.field, problem.field)
            form.add_error(field if field in form.fields else None, say(problem))
        return False
    return True


def posted(request: HttpRequest) -> Any:
    """Return what a form is bound to: the posted fields, or None on a first look."""
    return request.POST if request.method == "POST" else None


def enum_choices(words: type[StrEnum]) -> list[tuple[str, Any]]:
    """Return the choices of an enum with their words."""
    return [(member.value, label(member)) for member in words]


def region_choices() -> list[tuple[str, str]]:
    """Return every region, after an empty choice."""
    return [("", "–"), *((str(row.id), local_name(row.card)) for row in list_regions())]


def store_choices(viewer: Viewer) -> list[tuple[str, str]]:
    """Return the stores within reach as code and name."""
    return [(str(row.id), f"{row.card.code} {local_name(row.card)}") for row in list_stores(viewer)]


def chosen_ids(values: list[str]) -> tuple[int, ...]:
    """Return the ids among query parameters; anything else is left out."""
    return tuple(int(value) for value in values if value.isdecimal() and len(value) < 19)


def page_number(request: HttpRequest) -> int:
    """Return ?page= as a number from 1."""
    text = request.GET.get("page", "")
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")
