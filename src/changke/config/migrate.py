"""Bring the schema to this version of the program."""

import os

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from changke.config.database import grant_rights


def pending_migrations() -> list[str]:
    """Return the names of the migrations that the database lacks, in order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def migrate_if_needed() -> list[str]:
    """Apply what is pending and make the cache table; returns what was applied. A killed run may be run again."""
    pending = pending_migrations()
    if pending:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        grant_rights(os.environ)
    return pending
