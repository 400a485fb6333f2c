"""Jobs in the background: what waits, runs, is done or has failed, and the second try."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from changke.actions.background import retry_job
from changke.console.forms import page_number
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.lobby.viewer import viewer_of
from changke.queries.background import JobState, count_jobs, list_jobs
from changke.queries.health import load_health
from changke.rules.staff import Permission
from changke.ui.figures import Pages, Tab

PAGE_ROWS: Final = 50
STATES: Final = {
    JobState.WAITING: pgettext_lazy("job", "Waiting"),
    JobState.RUNNING: pgettext_lazy("job", "Running"),
    JobState.DONE: pgettext_lazy("job", "Done"),
    JobState.FAILED: pgettext_lazy("job", "Failed"),
    JobState.CANCELLED: pgettext_lazy("job", "Cancelled"),
    JobState.ABORTED: pgettext_lazy("job", "Aborted"),
}
COLOURS: Final = {JobState.RUNNING: "running", JobState.DONE: "done", JobState.FAILED: "failed"}
NAMES: Final = {
    "compute_figures": gettext_lazy("Work out the figures of a page"),
    "compute_usual_figures": gettext_lazy("Work out the usual figures"),
    "find_duplicates": gettext_lazy("Look for duplicates"),
    "do_due_work": gettext_lazy("Look for due work"),
    "refresh_lake": gettext_lazy("Refresh the figures"),
    "rescue_stalled_jobs": gettext_lazy("Take up jobs of dead workers"),
    "run_import": gettext_lazy("Import a file"),
    "score_rfm": gettext_lazy("Score all members"),
}


def show_jobs(request: HttpRequest) -> HttpResponse:
    """Show how many jobs are in each state, and the latest of the chosen state."""
    viewer = viewer_of(request)
    text = request.GET.get("state", "")
    state = JobState(text) if text in set(JobState) else None
    number = page_number(request)
    rows, total = list_jobs(viewer, states=(state,) if state else (), offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    counts, here = count_jobs(viewer), reverse("jobs")
    tabs = [Tab(label=_("All"), href=here, is_current=state is None, count=sum(counts.values()))] + [
        Tab(label=words, href=f"{here}?state={one}", is_current=one is state, count=counts[one])
        for one, words in STATES.items()
        if counts[one] or one in COLOURS or one is state
    ]
    context: dict[str, Any] = {
        "rows": [
            (row, NAMES.get(row.name, row.name), STATES[row.state], COLOURS.get(row.state, "waiting")) for row in rows
        ],
        "pages": Pages(number=number, size=PAGE_ROWS, total=total),
        "tabs": tabs,
        "may_edit": viewer.may(Permission.EDIT_SETTINGS),
        "health": load_health(now=utc_now()),
    }
    return render_page(request, "console/settings/jobs.html", context, title=_("Jobs"))


@require_POST
def retry(request: HttpRequest, job_id: int) -> HttpResponse:
    """Try a failed job once more."""
    retry_job(viewer_of(request), job_id=job_id, now=utc_now())
    messages.success(request, _("The job waits for its next try."))
    return redirect("jobs")


urlpatterns = [
    path("jobs", show_jobs, name="jobs"),
    path("jobs/<int:job_id>/retry", retry, name="job_retry"),
]
