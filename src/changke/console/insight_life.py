"""The life cycle: classes and stages today, how members moved between them, and the settings that decide."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.console.insight_compare import answer_list
from changke.console.insight_cycles import cycle_charts
from changke.console.insight_page import part_of, show_charts
from changke.console.insight_runs import CLASSES
from changke.console.insight_sight import Sight, read_day, with_sight
from changke.insight.maps import GROUPS
from changke.queries.insight_history import ClassHistory, Flow, list_flow_ids
from changke.queries.insight_pages import InsightPage, LifeFigures
from changke.rules.lifecycle import LifeClass, LifecycleSettings, Stage
from changke.rules.reports.loyalty import GroupRow
from changke.rules.segments import Choice, Flag
from changke.ui.charts import Chart, Column, Series, draw_bars, draw_flow, draw_points
from changke.ui.templatetags.ui import day, number, share
from changke.ui.words import word

GROUP_WORDS: Final[Mapping[str, object]] = {
    "is_potential": gettext_lazy("Potential"),
    "is_about_to_leave": gettext_lazy("About to leave"),
    "is_one_time": gettext_lazy("One-time buyers"),
    "is_loyal": gettext_lazy("Loyal"),
    "is_high_value": gettext_lazy("High value"),
}


@with_sight(gettext_lazy("Life cycle"), page=InsightPage.LIFE)
def show_life(request: HttpRequest, sight: Sight, found: LifeFigures) -> HttpResponse:
    """Show classes, stages, groups and the movement of the last months."""
    classes = {str(row.key): row.members for row in found.classes}
    charts = [
        class_chart(classes, settings=found.settings, sight=sight),
        stage_chart(found.stages, sight=sight),
        flow_chart(found.history),
        group_chart(found.groups, whole=sum(classes.values()), sight=sight),
        *cycle_charts(found.cycles, settings=found.settings, sight=sight),
    ]
    context = {
        "settings": found.settings,
        "lost_is_empty": not classes.get(LifeClass.LOST),
        "has_opportunities": found.has_opportunities,
        "new": found.new,
    }
    return show_charts(
        request, sight, charts, title=_("Life cycle"), template="console/insight/life.html", context=context
    )


def class_chart(counts: Mapping[str, int], *, settings: LifecycleSettings, sight: Sight) -> Chart:
    """Return the members of each class."""
    shown = [life for life in CLASSES if counts.get(life)]
    labels = [str(word(life, kind="LifeClass")) for life in shown]
    hrefs = [sight.href(Choice(field="life_class", values=(life.value,))) for life in shown]
    total = sum(counts.values())
    buyers = total - counts.get(LifeClass.UNBOUGHT, 0)
    return Chart(
        key="classes",
        subject=_("Members by class"),
        finding=_("%(active)s of those who ever bought are active, %(asleep)s sleep")
        % {
            "active": share(part_of(counts.get(LifeClass.ACTIVE, 0), buyers)),
            "asleep": share(part_of(counts.get(LifeClass.SLEEPING, 0), buyers)),
        },
        columns=[
            Column(label=_("Class"), kind="text"),
            Column(label=_("Members")),
            Column(label=_("Share of members"), kind="share"),
            Column(label=_("Rule"), kind="text"),
        ],
        rows=[
            [label, counts[life], part_of(counts[life], total), rule_of(life, settings=settings)]
            for life, label in zip(shown, labels, strict=True)
        ],
        hrefs=hrefs,
        drawing=draw_points(
            labels,
            Series(name=_("Members"), values=[counts[life] for life in shown], hrefs=hrefs),
            colours=[f"life-{life}" for life in shown],
        )
        if shown
        else None,
    )


def rule_of(life: LifeClass, *, settings: LifecycleSettings) -> str:
    """Return the rule of a class in words, with the numbers of the settings."""
    numbers = {
        "window": settings.window_days,
        "expected": settings.expected_visits,
        "asleep": settings.sleeping_from_days,
        "sends": settings.lost_after_sends,
        "days": settings.lost_after_days,
    }
    rules = {
        LifeClass.NEW: _("one visit in the last %(window)s days"),
        LifeClass.RETURNING: _("two visits or more in the last %(window)s days, fewer than %(expected)s"),
        LifeClass.ACTIVE: _("%(expected)s visits or more in the last %(window)s days"),
        LifeClass.SLEEPING: _("no visit for %(asleep)s days"),
        LifeClass.LOST: _("asleep, %(sends)s wake-ups unanswered, %(days)s days of sends without a visit"),
        LifeClass.UNBOUGHT: _("registered, no visit yet"),
    }
    return rules[life] % numbers


def flow_chart(history: ClassHistory) -> Chart:
    """Return the movement from month to month as a Sankey."""
    days = history.days
    last = [flow for flow in history.flows if days and flow.to_day == days[-1] and flow.source]
    was_active = sum(flow.members for flow in last if flow.source is LifeClass.ACTIVE)
    fell = sum(flow.members for flow in last if flow.source is LifeClass.ACTIVE and flow.target is LifeClass.SLEEPING)
    woke = sum(
        flow.members
        for flow in last
        if flow.source is LifeClass.SLEEPING and flow.target not in (LifeClass.SLEEPING, LifeClass.LOST)
    )
    known = [flow for flow in history.flows if flow.source]
    hrefs = [flow_href(flow) for flow in known]
    return Chart(
        key="flow",
        subject=_("Movement between classes, month to month"),
        finding=_("In the last month %(share)s of the active fell asleep and %(woke)s sleepers came back")
        % {"share": share(part_of(fell, was_active)), "woke": number(woke)}
        if known
        else _("There is no month before to compare with yet"),
        columns=[
            Column(label=_("Days"), kind="text"),
            Column(label=_("From"), kind="text"),
            Column(label=_("To"), kind="text"),
            Column(label=_("Members")),
        ],
        rows=[
            [
                f"{day(flow.from_day)} → {day(flow.to_day)}",
                str(word(str(flow.source), kind="LifeClass")),
                str(word(flow.target, kind="LifeClass")),
                flow.members,
            ]
            for flow in known
        ],
        hrefs=hrefs,
        drawing=draw_flow(
            nodes_of(known, days),
            [
                (f"{flow.from_day}{flow.source}", f"{flow.to_day}{flow.target}", flow.members, href)
                for flow, href in zip(known, hrefs, strict=True)
            ],
            heads=[day(one) for one in days],
        )
        if known
        else None,
        note=_("Members of the whole company. A click on a stream lists its members."),
        size="wide",
    )


def nodes_of(flows: Sequence[Flow], days: Sequence[date]) -> list[tuple[str, str, str, int]]:
    """Return the nodes in the order of the classes, so that streams cross as little as can be."""
    present = {(flow.from_day, flow.source) for flow in flows} | {(flow.to_day, flow.target) for flow in flows}
    return [
        (f"{on}{life}", str(word(life, kind="LifeClass")), f"life-{life}", depth)
        for depth, on in enumerate(days)
        for life in CLASSES
        if (on, life) in present
    ]


def flow_href(flow: Flow) -> str:
    """Return the address of the members of a stream."""
    query = {"first": day(flow.from_day), "last": day(flow.to_day), "from": str(flow.source), "to": str(flow.target)}
    return reverse("insight_life_movers") + "?" + urlencode(query)


def stage_chart(rows: Sequence[GroupRow], *, sight: Sight) -> Chart:
    """Return the members of each stage by time since registration."""
    by_stage = {str(row.key): row for row in rows}
    shown = [by_stage[stage] for stage in Stage if stage in by_stage]
    labels = [str(word(str(row.key), kind="Stage")) for row in shown]
    hrefs = [sight.href(Choice(field="stage", values=(str(row.key),))) for row in shown]
    total = sum(row.members for row in shown)
    most = max(shown, key=lambda row: row.members, default=None)
    return Chart(
        key="stages",
        subject=_("Members by stage since joining"),
        finding=_("Most members are in %(stage)s: %(share)s")
        % {
            "stage": word(str(most.key), kind="Stage") if most else "",
            "share": share(part_of(most.members if most else 0, total)),
        },
        columns=[
            Column(label=_("Stage"), kind="text"),
            Column(label=_("Members")),
            Column(label=_("Share of members"), kind="share"),
            Column(label=_("Sales ever"), kind="money"),
        ],
        rows=[
            [label, row.members, part_of(row.members, total), row.sales_minor]
            for row, label in zip(shown, labels, strict=True)
        ],
        hrefs=hrefs,
        drawing=draw_points(
            labels,
            Series(name=_("Members"), values=[row.members for row in shown], hrefs=hrefs),
            colours=[f"stage-{row.key}" for row in shown],
        )
        if shown
        else None,
    )


def group_chart(groups: Mapping[str, int], *, whole: int, sight: Sight) -> Chart:
    """Return the named groups; a member may be in several."""
    labels = [str(GROUP_WORDS[name]) for name in GROUPS]
    hrefs = [sight.href(Flag(field=name, value=True)) for name in GROUPS]
    return Chart(
        key="groups",
        subject=_("Named groups"),
        finding=_("%(count)s good customers are about to leave") % {"count": number(groups["is_about_to_leave"])}
        if groups["is_about_to_leave"]
        else _("No regular is about to leave"),
        columns=[
            Column(label=_("Group"), kind="text"),
            Column(label=_("Members")),
            Column(label=_("Share of members"), kind="share"),
        ],
        rows=[[label, groups[name], part_of(groups[name], whole)] for name, label in zip(GROUPS, labels, strict=True)],
        hrefs=hrefs,
        drawing=draw_bars(
            labels, Series(name=_("Members"), values=[groups[name] for name in GROUPS], hrefs=hrefs), lying=True
        ),
        note=_("A member may be in several groups. What each means is a setting."),
    )


@with_sight(gettext_lazy("Who moved"), page=InsightPage.LIFE)
def show_flow(request: HttpRequest, sight: Sight, found: LifeFigures) -> HttpResponse:
    """List the members of one stream; save them as a fixed list."""
    first, last = read_day(request.GET.get("first")), read_day(request.GET.get("last"))
    source, target = request.GET.get("from", ""), request.GET.get("to", "")
    if not first or not last or source not in set(LifeClass) or target not in set(LifeClass):
        raise Http404
    ids = list_flow_ids(
        sight.viewer,
        lake=sight.lake,
        saved=found.settings,
        from_day=first,
        to_day=last,
        source=LifeClass(source),
        target=LifeClass(target),
    )
    title = _("%(source)s to %(target)s") % {
        "source": word(source, kind="LifeClass"),
        "target": word(target, kind="LifeClass"),
    }
    crumbs = ((_("Life cycle"), reverse("insight_life")),)
    return answer_list(request, sight, ids=ids, title=title, on=last, crumbs=crumbs)


urlpatterns = [
    path("insight/life-cycle", show_life, name="insight_life"),
    path("insight/life-cycle/members", show_flow, name="insight_life_movers"),
]
