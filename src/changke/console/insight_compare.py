"""Two runs side by side: who moved from which class, score or rule to which, and their names."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.actions.segments import SegmentCard, save_new_segment
from changke.console.forms import accept, page_number, posted
from changke.console.insight_page import part_of, show_charts
from changke.console.insight_runs import CLASSES, run_or_404, title_of
from changke.console.insight_sight import Sight, with_sight
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.queries.insight_runs import Mark, Move, RunRow, list_mover_ids, load_moves, name_movers
from changke.rules.segments import Choice, Segment
from changke.rules.segments.tree import VALUES_MAX
from changke.rules.staff import Permission
from changke.ui.charts import Chart, Column, draw_heat
from changke.ui.figures import Pages, Tab
from changke.ui.templatetags.ui import day, number, share
from changke.ui.words import word

MARKS: Final = {
    Mark.LIFE_CLASS: gettext_lazy("Class"),
    Mark.R_SCORE: gettext_lazy("R score"),
    Mark.F_SCORE: gettext_lazy("F score"),
    Mark.M_SCORE: gettext_lazy("M score"),
}
SCORES: Final = ("5", "4", "3", "2", "1")
PAGE_SIZE: Final = 50


class ListForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name of the list"), max_length=120)


@with_sight(gettext_lazy("Movement"))
def compare_runs(request: HttpRequest, sight: Sight) -> HttpResponse:
    """Show the movement between the runs ?before= and ?after=, by ?by= a class or a score."""
    before, after = both_runs(request, sight)
    by = mark_of(request)
    moves = load_moves(sight.viewer, lake=sight.lake, before=before, after=after, by=by)
    ask = {"before": before.public_id, "after": after.public_id}
    context = {
        "before": before,
        "after": after,
        "marks": [
            Tab(label=label, href="?" + urlencode({**ask, "by": mark.value}), is_current=mark is by)
            for mark, label in MARKS.items()
        ],
        "has_other_settings": before.settings != after.settings,
    }
    chart = movement_chart(moves, by=by, before=before, after=after)
    title = _("%(before)s to %(after)s") % {"before": title_of(before), "after": title_of(after)}
    return show_charts(
        request, sight, [chart], title=title, template="console/insight/compare.html", context=context,
        crumbs=((_("Runs"), reverse("insight_runs")),),
    )  # fmt: skip


def movement_chart(moves: Sequence[Move], *, by: Mark, before: RunRow, after: RunRow) -> Chart:
    """Return the matrix of a movement; who is in one run only stands in the last row or column."""
    order = [*(CLASSES if by is Mark.LIFE_CLASS else SCORES), None]
    sources = [mark for mark in order if any(move.source == mark for move in moves)]
    targets = [mark for mark in order if any(move.target == mark for move in moves)]
    scored = [move for move in moves if move.source is not None and move.target is not None]
    whole = sum(move.members for move in scored)
    stayed = sum(move.members for move in scored if move.source == move.target)
    counts = {(move.source, move.target): move.members for move in moves}
    hrefs = {pair: movers_href(by, *pair, before=before, after=after) for pair in counts}
    left: Counter[str | None] = Counter()
    for move in moves:
        left[move.source] += move.members
    pairs = sorted(counts, key=lambda pair: -counts[pair])
    return Chart(
        key="movement",
        subject=_("%(mark)s on %(before)s (rows) and on %(after)s (columns)")
        % {"mark": MARKS[by], "before": day(before.as_of), "after": day(after.as_of)},
        finding=finding_of(scored, by=by, whole=whole, stayed=stayed),
        columns=[
            Column(label=_("From"), kind="text"),
            Column(label=_("To"), kind="text"),
            Column(label=_("Members")),
            Column(label=_("Share of those before"), kind="share"),
        ],
        rows=[
            [
                spell_mark(source, by=by),
                spell_mark(target, by=by),
                counts[source, target],
                part_of(counts[source, target], left[source]),
            ]
            for source, target in pairs
        ],
        hrefs=[hrefs[pair] for pair in pairs],
        drawing=draw_heat(
            [spell_mark(mark, by=by) for mark in targets],
            [spell_mark(mark, by=by) for mark in sources],
            [
                (targets.index(target), sources.index(source), part_of(counts[source, target], left[source]), href)
                for (source, target), href in hrefs.items()
            ],
            kind="share",
        ),
        note=_("Percent of those who stood in the row before. A click on a field lists its members."),
        size="wide",
    )


def finding_of(scored: Sequence[Move], *, by: Mark, whole: int, stayed: int) -> str:
    """Return what the movement says: how many stayed, and how many rose and fell."""
    if not whole:
        return _("No member is in both runs")
    if by is Mark.LIFE_CLASS:
        return _("%(share)s of the members kept their class") % {"share": share(part_of(stayed, whole))}
    rose = sum(move.members for move in scored if str(move.target) > str(move.source))
    return _("%(rose)s members rose, %(fell)s fell, %(share)s kept their score") % {
        "rose": number(rose),
        "fell": number(whole - stayed - rose),
        "share": share(part_of(stayed, whole)),
    }


@with_sight(gettext_lazy("Who moved"))
def show_movers(request: HttpRequest, sight: Sight) -> HttpResponse:
    """List the members of one field of the matrix; save them as a fixed list."""
    before, after = both_runs(request, sight)
    by, source, target = mark_of(request), request.GET.get("from", ""), request.GET.get("to", "")
    known = CLASSES if by is Mark.LIFE_CLASS else SCORES
    if source not in known or target not in known:
        raise Http404
    ids = list_mover_ids(sight.viewer, before=before, after=after, by=by, source=source, target=target)
    title = _("%(source)s to %(target)s") % {"source": spell_mark(source, by=by), "target": spell_mark(target, by=by)}
    ask = {"before": before.public_id, "after": after.public_id, "by": by.value}
    here = reverse("insight_run_compare") + "?" + urlencode(ask)
    crumbs = ((_("Runs"), reverse("insight_runs")), (_("Movement"), here))
    return answer_list(request, sight, ids=ids, title=title, on=after.as_of, crumbs=crumbs)


def answer_list(
    request: HttpRequest, sight: Sight, *, ids: list[int], title: str, on: date, crumbs: Sequence[tuple[str, str]]
) -> HttpResponse:
    """Show members by name, or save them as a fixed list under the name that was posted."""
    form = ListForm(posted(request), initial={"name": f"{title} {day(on)}"})
    may_save = sight.viewer.may(Permission.EDIT_SEGMENTS) and 0 < len(ids) <= VALUES_MAX

    saved: list[str] = []

    def save() -> None:
        definition = Segment(where=Choice(field="member_id", values=tuple(ids)))
        card = SegmentCard(name=form.cleaned_data["name"], definition=definition)
        saved.append(save_new_segment(sight.viewer, card=card, now=utc_now()).public_id)

    if form.is_bound and may_save and form.is_valid() and accept(form, act=save):
        messages.success(request, _("Saved as a fixed list."))
        return redirect("segment", public_id=saved[0])
    pages = Pages(number=page_number(request), size=PAGE_SIZE, total=len(ids))
    context = {
        "movers": name_movers(sight.viewer, ids=ids[pages.offset : pages.offset + PAGE_SIZE]),
        "pages": pages,
        "form": form if may_save else None,
        "is_too_many": len(ids) > VALUES_MAX,
    }
    return render_page(request, "console/insight/movers.html", context, title=title, crumbs=crumbs)


def both_runs(request: HttpRequest, sight: Sight) -> tuple[RunRow, RunRow]:
    """Return the two runs asked for, the earlier first; 404 unless both are done."""
    runs = [run_or_404(sight.viewer, public_id=request.GET.get(name, "")) for name in ("before", "after")]
    if any(run.state != "done" for run in runs):
        raise Http404
    first, second = sorted(runs, key=lambda run: run.as_of)
    return first, second


def mark_of(request: HttpRequest) -> Mark:
    found = request.GET.get("by", "")
    return Mark(found) if found in {mark.value for mark in MARKS} else Mark.LIFE_CLASS


def spell_mark(mark: str | None, *, by: Mark) -> str:
    """Return the word for a class, the figure of a score, or that the member was not scored."""
    if mark is None:
        return _("not in the run")
    return str(word(mark, kind="LifeClass")) if by is Mark.LIFE_CLASS else mark


def movers_href(by: Mark, source: str | None, target: str | None, *, before: RunRow, after: RunRow) -> str:
    """Return the address of the members who went from one mark to another; none where they are in one run only."""
    if source is None or target is None:
        return ""
    query = {"before": before.public_id, "after": after.public_id, "by": by.value, "from": source, "to": target}
    return reverse("insight_run_movers") + "?" + urlencode(query)


urlpatterns = [
    path("insight/movement", compare_runs, name="insight_run_compare"),
    path("insight/movement/members", show_movers, name="insight_run_movers"),
]
