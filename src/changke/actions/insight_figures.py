"""The figures of insight pages, computed in the background: those asked for, and the usual ones after each refresh."""

import json
from datetime import timedelta
from typing import Final

from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from pydantic import TypeAdapter

from changke.actions.steps.enqueue import enqueue
from changke.kernel.job_names import JobName
from changke.kernel.periods import days_ending
from changke.queries.insight_cache import computing
from changke.queries.insight_pages import LOADERS, InsightPage
from changke.queries.lake import current_lake
from changke.rules.reports.scope import Scope
from changke.rules.staff import Permission, Viewer, act_as, require

USUAL_DAYS: Final = 30
SCOPE: Final = TypeAdapter(Scope)


@transaction.atomic
def ask_for_figures(actor: Viewer, *, page: InsightPage, scope: Scope) -> None:
    """Queue the computing of a page's figures, unless it is queued already."""
    require(actor, permission=Permission.SEE_TODAY if page is InsightPage.TODAY else Permission.SEE_INSIGHT)
    told = SCOPE.dump_python(scope, mode="json")
    told["store_ids"] = None if scope.store_ids is None else sorted(scope.store_ids)
    wanted = {"page": page.value, "scope": json.dumps(told, sort_keys=True)}
    if not ProcrastinateJob.objects.filter(
        task_name=JobName.COMPUTE_FIGURES.value, status__in=["todo", "doing"], args=wanted
    ).exists():
        enqueue(JobName.COMPUTE_FIGURES, lock="figures", **wanted)


def compute_figures(page: str, scope: str) -> None:
    """Compute the figures of one page and keep them; nothing to do where there is no lake."""
    lake = current_lake()
    if lake is not None:
        with computing():
            LOADERS[InsightPage(page)](act_as("figures"), lake=lake, scope=SCOPE.validate_json(scope))


def compute_usual_figures() -> None:
    """Compute what every page shows without any choice: the last 30 days of all stores."""
    lake = current_lake()
    if lake is None:
        return
    scope = Scope(period=days_ending(lake.as_of - timedelta(days=1), days=USUAL_DAYS))
    with computing():
        for load in LOADERS.values():
            load(act_as("figures"), lake=lake, scope=scope)
