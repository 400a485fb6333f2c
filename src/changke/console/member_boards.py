"""Boards about members: who waits to be approved, whose birthday comes, who brought in whom."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from changke.console.forms import page_number
from changke.console.member_columns import load_names
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.kernel.periods import days_ending
from changke.lobby.viewer import viewer_of
from changke.queries.member_list import PAGE_SIZE, PAGED_MAX, MemberFilter, MemberPage, MemberSort, list_members
from changke.queries.promotion import (
    CardUse,
    Conversion,
    PromotionBy,
    PromotionRow,
    list_promotion,
    load_card_use,
    load_conversion,
)
from changke.rules.members import MemberStatus, SourceChannel
from changke.rules.staff import Permission, Viewer
from changke.ui.figures import Figure, Pages, Tab
from changke.ui.words import label

SPANS: Final = {
    "7": gettext_lazy("Next 7 days"),
    "30": gettext_lazy("Next 30 days"),
    "0": pgettext_lazy("span", "Today"),
}
BY_WORDS: Final = {
    PromotionBy.STORE: gettext_lazy("By store"),
    PromotionBy.RECRUITER: gettext_lazy("By staff"),
    PromotionBy.SOURCE: gettext_lazy("By channel"),
}
DAYS: Final = {"30": gettext_lazy("30 days"), "90": gettext_lazy("90 days"), "365": gettext_lazy("One year")}


def show_approvals(request: HttpRequest) -> HttpResponse:
    """List provisional members, to be approved or refused."""
    viewer = viewer_of(request)
    number = page_number(request)
    wanted = MemberFilter(statuses=(MemberStatus.PROVISIONAL,), is_descending=False)
    page = _page(viewer, wanted=wanted, number=number)
    context = _listing(viewer, page=page, number=number) | {"may_edit": viewer.may(Permission.EDIT_MEMBERS)}
    lead = _("People who joined provisionally, the longest waiting first.")
    return render_page(request, "console/members/approvals.html", context, title=_("Approvals"), lead=lead)


def show_birthdays(request: HttpRequest) -> HttpResponse:
    """List whose birthday comes next, lunar ones on their solar day."""
    viewer, today = viewer_of(request), localdate(utc_now())
    days = request.GET.get("days", "7") if request.GET.get("days", "7") in SPANS else "7"
    number = page_number(request)
    wanted = MemberFilter(birthday_within_days=int(days), sort=MemberSort.BIRTHDAY, is_descending=False)
    page = _page(viewer, wanted=wanted, number=number)
    here = reverse("birthdays")
    context = _listing(viewer, page=page, number=number) | {
        "today": today,
        "options": [
            Tab(label=words, href=f"{here}?days={key}", is_current=key == days) for key, words in SPANS.items()
        ],
    }
    return render_page(request, "console/members/birthdays.html", context, title=_("Birthdays"))


def show_promotion(request: HttpRequest) -> HttpResponse:
    """Show who brought in members, how many of them came again, and how prospects turn into members."""
    viewer, get = viewer_of(request), request.GET
    by = PromotionBy(get["by"]) if get.get("by") in set(PromotionBy) else PromotionBy.STORE
    days = get.get("days", "90") if get.get("days", "90") in DAYS else "90"
    period = days_ending(localdate(utc_now()), days=int(days))
    rows = list_promotion(viewer, period=period, by=by)
    conversion, use = load_conversion(viewer, period=period), load_card_use(viewer, period=period)
    here, stores = reverse("promotion"), load_names(viewer).stores
    context = {
        "rows": [(row, _name(row, by=by, stores=stores)) for row in rows],
        "figures": _figures(rows, conversion=conversion, use=use),
        "period": period,
        "by_options": [
            Tab(label=words, href=f"{here}?by={key}&days={days}", is_current=key is by)
            for key, words in BY_WORDS.items()
        ],
        "day_options": [
            Tab(label=words, href=f"{here}?by={by}&days={key}", is_current=key == days) for key, words in DAYS.items()
        ],
    }
    return render_page(request, "console/members/promotion.html", context, title=_("Card promotion"))


def _figures(rows: tuple[PromotionRow, ...], *, conversion: Conversion, use: CardUse) -> list[Figure]:
    rate = use.used * 1_000_000 // use.valid if use.valid else None
    return [
        Figure(label=_("Joined"), value=sum(row.joined for row in rows)),
        Figure(label=_("Of them bought"), value=_share(rows, "bought"), kind="share"),
        Figure(label=_("Of them bought again"), value=_share(rows, "again"), kind="share"),
        Figure(
            label=_("Card use rate"), value=rate, kind="share", hint=_("Valid cards whose member bought in the period")
        ),
        Figure(
            label=_("Prospects who bought"),
            value=conversion.buyers,
            hint=_("Of %(count)s known people who have not joined") % {"count": f"{conversion.prospects:,}"},
        ),
        Figure(label=_("Prospects who joined"), value=conversion.joined, hint=_("In the period")),
    ]


def _page(viewer: Viewer, *, wanted: MemberFilter, number: int) -> MemberPage:
    today: date = localdate(utc_now())
    return list_members(viewer, wanted=wanted, today=today, page=min(number, PAGED_MAX // PAGE_SIZE))


def _listing(viewer: Viewer, *, page: MemberPage, number: int) -> dict[str, Any]:
    names = load_names(viewer)
    return {
        "rows": [(row, names.stores.get(row.home_store_id or 0, "")) for row in page.rows],
        "pages": Pages(number=number, size=PAGE_SIZE, total=min(page.total.number, PAGED_MAX)),
    }


def _name(row: PromotionRow, *, by: PromotionBy, stores: Mapping[int, str]) -> Any:
    if by is PromotionBy.SOURCE:
        return label(SourceChannel(row.key))
    if by is PromotionBy.STORE and row.key:
        return stores.get(int(row.key), row.name)
    return row.name or _("Nobody named")


def _share(rows: tuple[PromotionRow, ...], name: str) -> int | None:
    joined = sum(row.joined for row in rows)
    return sum(getattr(row, name) for row in rows) * 1_000_000 // joined if joined else None


urlpatterns = [
    path("approvals", show_approvals, name="approvals"),
    path("birthdays", show_birthdays, name="birthdays"),
    path("promotion", show_promotion, name="promotion"),
]
