"""Defer a job by its name: the job row joins the running transaction, the worker finds the task by that name."""

from typing import Any

from procrastinate.contrib.django import app

from changke.kernel.job_names import JobName


def enqueue(name: JobName, *, lock: str | None = None, **arguments: Any) -> int:
    """Queue one job with JSON arguments; jobs with the same `lock` never run side by side. Returns the job's id."""
    return int(app.configure_task(name=name.value, lock=lock).defer(**arguments))
