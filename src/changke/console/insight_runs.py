"""RFM runs: the list and its schedule, a new one, one run's page."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from changke.actions.rfm_runs import ask_for_run, delete_run
from changke.actions.settings import save_setting
from changke.console.forms import DateInput, accept, enum_choices, posted, store_choices
from changke.console.insight_page import part_of, show_charts
from changke.console.insight_rfm import axes_tabs, map_chart, read_choice, rule_chart, third_tabs
from changke.console.insight_sight import Sight, with_sight
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.kernel.errors import ChangkeError
from changke.lobby.viewer import viewer_of
from changke.queries.insight_runs import RunRow, list_runs, load_run, load_run_cells, load_run_classes
from changke.queries.lake import current_lake
from changke.queries.products import list_categories
from changke.queries.settings import load_setting
from changke.rules.lifecycle import LifeClass
from changke.rules.rfm import FrequencyMeasure, MonetaryMeasure, Population, RfmMethod, RfmSettings
from changke.rules.schedules import RfmSchedule
from changke.rules.staff import Permission, Viewer
from changke.ui.charts import Chart, Column, Series, draw_points
from changke.ui.figures import Progress
from changke.ui.templatetags.ui import day, local_name, share
from changke.ui.words import word

PERIODS: Final = (
    ("", gettext_lazy("all history")),
    ("90", gettext_lazy("the last 90 days")),
    ("180", gettext_lazy("the last 180 days")),
    ("365", gettext_lazy("the last 365 days")),
    ("730", gettext_lazy("the last two years")),
)
CLASSES: Final = (
    LifeClass.NEW, LifeClass.RETURNING, LifeClass.ACTIVE, LifeClass.SLEEPING, LifeClass.LOST, LifeClass.UNBOUGHT,
)  # fmt: skip


class RunForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("What you will know this run by; without one the date stands for it."),
    )
    as_of = forms.DateField(
        label=gettext_lazy("Analysis date"),
        widget=DateInput,
        help_text=gettext_lazy("Sales before this day count. An earlier day shows how things stood then."),
    )
    method = forms.ChoiceField(
        label=gettext_lazy("Method"),
        choices=lambda: enum_choices(RfmMethod),
        help_text=gettext_lazy("Strict fifths: five groups of the same size. Equal values may then be split."),
    )
    frequency = forms.ChoiceField(label=gettext_lazy("F counts"), choices=lambda: enum_choices(FrequencyMeasure))
    monetary = forms.ChoiceField(label=gettext_lazy("M sums"), choices=lambda: enum_choices(MonetaryMeasure))
    population = forms.ChoiceField(label=gettext_lazy("Population"), choices=lambda: enum_choices(Population))
    period_days = forms.ChoiceField(label=gettext_lazy("Period"), choices=PERIODS, required=False)
    store_ids = forms.MultipleChoiceField(
        label=gettext_lazy("Stores"), required=False, help_text=gettext_lazy("None chosen: every store.")
    )
    category_ids = forms.MultipleChoiceField(
        label=gettext_lazy("Categories"), required=False, help_text=gettext_lazy("None chosen: all goods.")
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store_ids"].choices = store_choices(viewer)  # type: ignore[attr-defined]
        self.fields["category_ids"].choices = [  # type: ignore[attr-defined]
            (str(row.id), "　" * row.depth + local_name(row)) for row in list_categories(viewer)
        ]

    def settings(self, *, money_unit_minor: int) -> RfmSettings:
        """Return the settings that were filled in."""
        filled = self.cleaned_data
        return RfmSettings(
            method=RfmMethod(filled["method"]),
            frequency=FrequencyMeasure(filled["frequency"]),
            monetary=MonetaryMeasure(filled["monetary"]),
            population=Population(filled["population"]),
            period_days=int(filled["period_days"]) if filled["period_days"] else None,
            store_ids=tuple(sorted(int(number) for number in filled["store_ids"])),
            category_ids=tuple(sorted(int(number) for number in filled["category_ids"])),
            money_unit_minor=money_unit_minor,
        )


class ScheduleForm(forms.Form):
    monthly = forms.BooleanField(label=gettext_lazy("On the first of each month"), required=False)
    quarterly = forms.BooleanField(label=gettext_lazy("On the first of each quarter"), required=False)


def show_runs(request: HttpRequest) -> HttpResponse:
    """List the runs; choose two to compare; say when new ones are made by themselves."""
    viewer, schedule = viewer_of(request), load_setting(RfmSchedule)
    form = ScheduleForm(initial={"monthly": schedule.monthly, "quarterly": schedule.quarterly})
    context = {
        "runs": list_runs(viewer),
        "schedule": form if viewer.may(Permission.EDIT_SETTINGS) else None,
        "may_run": viewer.may(Permission.RUN_INSIGHT),
    }
    return render_page(
        request, "console/insight/runs.html", context, title=_("Runs"),
        lead=_("A run keeps everybody's scores as of a date, with its settings: what was true then can be compared."),
    )  # fmt: skip


@require_POST
def save_schedule(request: HttpRequest) -> HttpResponse:
    """Save when runs are made by themselves."""
    form = ScheduleForm(request.POST)
    if form.is_valid() and accept(
        form, act=lambda: save_setting(viewer_of(request), value=RfmSchedule(**form.cleaned_data), now=utc_now())
    ):
        messages.success(request, _("Saved."))
    return redirect("insight_runs")


def new_run(request: HttpRequest) -> HttpResponse:
    """Ask for a run."""
    viewer, lake, saved = viewer_of(request), current_lake(), load_setting(RfmSettings)
    initial = {
        "as_of": lake.as_of if lake else None,
        "period_days": str(saved.period_days or ""),
        **{name: getattr(saved, name) for name in ("method", "frequency", "monetary", "population")},
    }
    form = RunForm(posted(request), viewer=viewer, initial=initial)
    made: list[str] = []

    def ask() -> None:
        wanted = form.settings(money_unit_minor=saved.money_unit_minor)
        run = ask_for_run(
            viewer, rfm=wanted, as_of=form.cleaned_data["as_of"], now=utc_now(), name=form.cleaned_data["name"]
        )
        made.append(run.public_id)

    if form.is_bound and form.is_valid() and accept(form, act=ask):
        return redirect("insight_run", public_id=made[0])
    context = {"form": form, "back": reverse("insight_runs"), "save": _("Score now")}
    crumbs = ((_("Runs"), reverse("insight_runs")),)
    return render_page(request, "console/form.html", context, title=_("New run"), crumbs=crumbs)


@with_sight(gettext_lazy("Run"))
def show_run(request: HttpRequest, sight: Sight, public_id: str) -> HttpResponse:
    """Show one run: its progress while it is scored, then its map and classes."""
    run = run_or_404(sight.viewer, public_id=public_id)
    others = [row for row in list_runs(sight.viewer) if row.state == "done" and row.public_id != public_id]
    context: dict[str, Any] = {
        "run": run,
        "others": others,
        "progress": progress_of(run),
        "may_run": sight.viewer.may(Permission.RUN_INSIGHT),
    }
    crumbs = ((_("Runs"), reverse("insight_runs")),)
    if run.state != "done":
        return render_page(request, "console/insight/run.html", context, title=title_of(run), crumbs=crumbs)
    choice = read_choice(request)
    cells = load_run_cells(sight.viewer, lake=sight.lake, run=run)
    charts = [
        map_chart(cells, choice=choice, href=nowhere),
        rule_chart(cells, href=nowhere),
        class_chart(load_run_classes(sight.viewer, lake=sight.lake, run=run)),
    ]
    context |= {
        "axes": axes_tabs(request, choice),
        "thirds": third_tabs(request, choice),
        "third": choice.third.upper(),
    }
    return show_charts(
        request, sight, charts, title=title_of(run), template="console/insight/run.html", context=context, crumbs=crumbs
    )


def run_state(request: HttpRequest, public_id: str) -> HttpResponse:
    """Answer the progress of a run; when it is done the page is asked for anew."""
    run = run_or_404(viewer_of(request), public_id=public_id)
    answer = render(request, "ui/components/progress.html", {"progress": progress_of(run)})
    if run.state != "running":
        answer.headers["HX-Refresh"] = "true"
    return answer


@require_POST
def drop_run(request: HttpRequest, public_id: str) -> HttpResponse:
    """Delete a run."""
    try:
        delete_run(viewer_of(request), public_id=public_id, now=utc_now())
    except ChangkeError as error:
        raise Http404 from error
    messages.success(request, _("The run is deleted."))
    return redirect("insight_runs")


def run_or_404(viewer: Viewer, *, public_id: str) -> RunRow:
    try:
        return load_run(viewer, public_id=public_id)
    except ChangkeError as error:
        raise Http404 from error


def title_of(run: RunRow) -> str:
    """Return a run's name, or its date."""
    return run.name or _("Run as of %(day)s") % {"day": day(run.as_of)}


def progress_of(run: RunRow) -> Progress:
    return Progress(
        label=_("Scoring every member"), done=0, url=reverse("insight_run_state", kwargs={"public_id": run.public_id}),
        is_running=run.state == "running",
    )  # fmt: skip


def nowhere(*_parts: object) -> str:
    """Return no address: members of the past are listed by the comparison of two runs."""
    return ""


def class_chart(counts: dict[str, int]) -> Chart:
    """Return the classes of a run."""
    shown = [life for life in CLASSES if counts.get(life)]
    labels = [str(word(life, kind="LifeClass")) for life in shown]
    total = sum(counts.values())
    return Chart(
        key="classes",
        subject=_("Life-cycle classes on that date"),
        finding=_("%(share)s of the scored members were active")
        % {"share": share(part_of(counts.get(LifeClass.ACTIVE, 0), total))},
        columns=[
            Column(label=_("Class"), kind="text"),
            Column(label=_("Members")),
            Column(label=_("Share of members"), kind="share"),
        ],
        rows=[[label, counts[life], part_of(counts[life], total)] for life, label in zip(shown, labels, strict=True)],
        drawing=draw_points(
            labels,
            Series(name=_("Members"), values=[counts[life] for life in shown]),
            colours=[f"life-{life}" for life in shown],
        ),
        size="wide",
    )


urlpatterns = [
    path("insight/runs", show_runs, name="insight_runs"),
    path("insight/runs/schedule", save_schedule, name="insight_schedule"),
    path("insight/runs/new", new_run, name="insight_run_new"),
    path("insight/runs/<str:public_id>", show_run, name="insight_run"),
    path("insight/runs/<str:public_id>/state", run_state, name="insight_run_state"),
    path("insight/runs/<str:public_id>/delete", drop_run, name="insight_run_delete"),
]
