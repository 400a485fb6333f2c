"""A segment as a file: one row a member, headed in the reader's language, safe to open in a spreadsheet."""

import io
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any, Final

from django.utils.translation import gettext_lazy as _

from changke.gateways.sheets import write_csv, write_xlsx
from changke.kernel.money import currency, to_major
from changke.queries.company import load_company
from changke.queries.segment_members import SampledMember, list_members_of
from changke.rules.segments import Segment as Definition
from changke.rules.staff import Viewer
from changke.ui.words import word

HEADER: Final = (
    _("Member"),
    _("Name"),
    _("Phone"),
    _("Class"),
    _("R score"),
    _("F score"),
    _("M score"),
    _("First visit"),
    _("Last visit"),
    _("Days since the last visit"),
    _("Visit days ever"),
    _("Spend ever"),
    _("Average ticket"),
    _("Value layer"),
    _("Age"),
    _("Gender"),
)


def write_segment_file(viewer: Viewer, *, definition: Definition, kind: str, title: str) -> IO[bytes]:
    """Return an open temporary file at its start, "csv" or "xlsx"; contacts are masked for who may not see them."""
    company = load_company()
    unit = currency(company.currency if company else "CNY")
    rows = (_row(member, unit=unit) for member in list_members_of(viewer, definition=definition))
    header = [str(text) for text in HEADER]
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - the caller reads and closes it
    if kind == "csv":
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        write_csv(text, header=header, rows=rows)
        text.detach()
    else:
        write_xlsx(file, header=header, rows=rows, title=title)
    file.seek(0)
    return file


def _row(member: SampledMember, *, unit: Any) -> list[Any]:
    row = member.row

    def money(name: str) -> Decimal | None:
        return None if row[name] is None else to_major(row[name], unit=unit)

    return [
        member.code,
        member.name,
        member.phone,
        str(word(row["life_class"], kind="LifeClass")),
        row["r_score"],
        row["f_score"],
        row["m_score"],
        row["first_visit_on"],
        row["last_visit_on"],
        row["recency_days"],
        row["visit_days_ever"],
        money("net_ever_minor"),
        money("mean_ticket_minor"),
        None if row["value_layer"] is None else str(word(row["value_layer"], kind="ValueLayer")),
        row["age"],
        str(word(row["gender"], kind="Gender")),
    ]
