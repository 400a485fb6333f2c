"""The audit log: who did what, when, from where, with what before and after; and the log as a file."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.console.audit_words import action_words, field_words, kind_words
from changke.console.forms import page_number
from changke.console.page import render_page
from changke.console.site import href_of
from changke.gateways.sheets import CSV_TYPE, write_csv
from changke.kernel.clock import start_of_day
from changke.lobby.viewer import viewer_of
from changke.queries.audit import AuditFilter, AuditRow, each_audit, list_audit, list_audit_words, name_subjects
from changke.queries.company import list_regions
from changke.queries.products import list_brands, list_categories
from changke.queries.stores import list_stores
from changke.rules.staff import Viewer
from changke.ui.figures import Choice, Facet, Pages
from changke.ui.templatetags.ui import local_name
from changke.ui.words import word

PAGE_ROWS: Final = 50
COLUMNS: Final = (
    gettext_lazy("When"),
    gettext_lazy("Who"),
    gettext_lazy("From where"),
    gettext_lazy("What"),
    gettext_lazy("Kind"),
    gettext_lazy("Number"),
    gettext_lazy("Reason"),
    gettext_lazy("Before"),
    gettext_lazy("After"),
)
PAGES: Final = {
    "member": "member",
    "product": "product",
    "segment": "segment",
    "staff": "staff_member",
    "store": "store",
}
ENUMS: Final = {"role": "Role", "ownership": "Ownership", "second_factor_roles": "Role", "status": "MemberStatus"}
NOTHING: Final = "–"


class Names:
    """Stored values as people read them; names of stores, regions, brands and categories are asked once, at need."""

    def __init__(self, viewer: Viewer) -> None:
        self._asks: dict[str, Callable[[], dict[Any, str]]] = {
            "home_store_id": self._stores,
            "store_ids": self._stores,
            "region_id": lambda: {row.id: local_name(row.card) for row in list_regions()},
            "brand_id": lambda: dict(list_brands(viewer)),
            "category_id": lambda: {row.id: local_name(row) for row in list_categories(viewer)},
        }
        self._known: dict[str, dict[Any, str]] = {}
        self._viewer = viewer

    def spell(self, field: str, value: Any) -> str:
        """Write one value: dates and texts as they are, enums and ids by their words."""
        if value is None or value in ("", [], {}):
            return NOTHING
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, dict):
            return ", ".join(f"{key} {self.spell(field, part)}" for key, part in value.items())
        if isinstance(value, list):
            return ", ".join(self.spell(field, part) for part in value)
        if field in ENUMS:
            return str(word(str(value), kind=ENUMS[field]))
        if field in self._asks:
            if field not in self._known:
                self._known[field] = self._asks[field]()
            return self._known[field].get(value, f"#{value}")
        return str(value)

    def spell_fields(self, fields: dict[str, Any]) -> str:
        """Write all fields of one side in a line."""
        return "; ".join(f"{field_words(key)}: {self.spell(key, value)}" for key, value in fields.items())

    def _stores(self) -> dict[Any, str]:
        return {row.id: local_name(row.card) for row in list_stores(self._viewer)}


def show_audit(request: HttpRequest) -> HttpResponse:
    """Show the log, the newest first."""
    viewer, chosen = viewer_of(request), _chosen(request)
    number = page_number(request)
    rows, total = list_audit(viewer, chosen=chosen, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    subjects, names = name_subjects(viewer, rows=rows), Names(viewer)
    context = {
        "rows": [_shown(row, named=subjects.get((row.subject_kind, row.subject_id or 0)), names=names) for row in rows],
        "pages": Pages(number=number, size=PAGE_ROWS, total=total),
        "is_filtered": bool(request.GET),
        "since": request.GET.get("since", ""),
        "until": request.GET.get("until", ""),
        "subject": chosen.subject_id,
        "text": chosen.text,
        "facets": _facets(request),
    }
    return render_page(request, "console/settings/audit.html", context, title=_("Audit log"))


def export_audit(request: HttpRequest) -> FileResponse:
    """Answer the chosen part of the log as CSV, in bounded memory."""
    names = Names(viewer_of(request))
    rows = (
        (
            timezone.localtime(row.at).isoformat(sep=" ", timespec="seconds"),
            row.actor,
            row.place,
            str(action_words(row.action)),
            str(kind_words(row.subject_kind)),
            row.subject_id,
            row.reason,
            names.spell_fields(row.before),
            names.spell_fields(row.after),
        )
        for row in each_audit(viewer_of(request), chosen=_chosen(request))
    )
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    write_csv(text, header=[str(words) for words in COLUMNS], rows=rows)
    text.detach()
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename="audit.csv", content_type=CSV_TYPE)


def _chosen(request: HttpRequest) -> AuditFilter:
    get, zone = request.GET, ZoneInfo(timezone.get_current_timezone_name())
    subject = get.get("subject", "")
    last = _day(get.get("until", ""))
    return AuditFilter(
        text=get.get("q", ""),
        actions=tuple(get.getlist("action")),
        subject_kinds=tuple(get.getlist("kind")),
        subject_id=int(subject) if subject.isdecimal() and len(subject) < 19 else None,
        since=_start(_day(get.get("since", "")), zone=zone),
        until=_start(last + timedelta(days=1) if last else None, zone=zone),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _start(day: date | None, *, zone: ZoneInfo) -> datetime | None:
    return start_of_day(day, zone=zone) if day else None


def _shown(row: AuditRow, *, named: tuple[str, str] | None, names: Names) -> dict[str, Any]:
    keys = [*row.before, *(key for key in row.after if key not in row.before)]
    pairs = [(key, names.spell(key, row.before.get(key)), names.spell(key, row.after.get(key))) for key in keys]
    return {
        "row": row,
        "action": action_words(row.action),
        "kind": kind_words(row.subject_kind),
        "name": named[1] if named else "",
        "href": href_of(PAGES[row.subject_kind], public_id=named[0]) if named else "",
        "changes": [(field_words(key), before, after) for key, before, after in pairs if before != after],
    }


def _facets(request: HttpRequest) -> list[Facet]:
    actions, kinds = list_audit_words(viewer_of(request))
    chosen_actions, chosen_kinds = request.GET.getlist("action"), request.GET.getlist("kind")
    return [
        Facet(
            name="action",
            label=_("What"),
            choices=[
                Choice(value=action, label=action_words(action), is_chosen=action in chosen_actions)
                for action in actions
            ],
        ),
        Facet(
            name="kind",
            label=_("Kind"),
            choices=[Choice(value=kind, label=kind_words(kind), is_chosen=kind in chosen_kinds) for kind in kinds],
        ),
    ]


urlpatterns = [
    path("audit", show_audit, name="audit"),
    path("audit/export", export_audit, name="audit_export"),
]
