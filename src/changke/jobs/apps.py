"""The Django app of the jobs: procrastinate finds tasks.py in it."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "changke.jobs"
    label = "jobs"
