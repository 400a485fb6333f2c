"""An import that is killed leaves nothing behind, at whatever stage, and gives the same result when it is run again."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from django.db import connection

from changke.actions.company import set_up_company
from changke.actions.imports import import_files
from changke.records.models import Event, ImportedDay, ImportRun, Member, Product, Sale, SaleLine
from changke.rules.company import CompanyCard
from changke.rules.imports.plan import ImportPlan
from changke.rules.imports.words import Stage
from changke.rules.staff import SYSTEM

EXCERPT = Path(__file__).parents[1] / "data" / "online_retail_excerpt.csv.gz"
CHILD = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "changke.config.settings"
django.setup()
from django.conf import settings
from django.db import connection
database, uploads, stage, path, now = sys.argv[1:]
connection.settings_dict["NAME"] = database
settings.UPLOADS = Path(uploads)
from changke.actions.imports import import_files
from changke.actions.steps import bulk_merge
from changke.rules.imports.plan import ImportPlan
from changke.rules.staff import SYSTEM
bulk_merge.FIRST_LOAD_LINES = 1

def sink(progress):
    if progress.stage == stage and progress.done == progress.total:
        os.kill(os.getpid(), signal.SIGKILL)

plan = ImportPlan(paths=(path,), profile="online_retail")
import_files(SYSTEM, plan=plan, now=datetime.fromisoformat(now), sink=sink)
"""


@pytest.mark.django_db(transaction=True)
def test_killed_at_every_stage_then_run_again(home: Path, now: datetime) -> None:
    set_up_company(SYSTEM, card=CompanyCard(name="shop", currency="GBP", time_zone="Europe/London"), now=now)
    for stage in (Stage.READ, Stage.CLEAN, Stage.WRITE, Stage.FINISH):
        arguments = (connection.settings_dict["NAME"], str(home / "uploads"), stage, str(EXCERPT), now.isoformat())
        child = subprocess.run([sys.executable, "-c", CHILD, *arguments], check=False, capture_output=True, timeout=300)
        assert child.returncode == -9, child.stderr.decode()
        assert ImportRun.objects.latest("id").state == "running"
        assert not any(model.objects.exists() for model in (Sale, SaleLine, Member, Product, ImportedDay, Event))
    plan = ImportPlan(paths=(str(EXCERPT),), profile="online_retail")
    first = import_files(SYSTEM, plan=plan, now=now)
    counts = first.cleaning
    assert SaleLine.objects.count() == counts.rows_kept == first.merged.lines_written
    assert Sale.objects.count() == sum(line.receipts for line in counts.lines)
    assert sum(Sale.objects.values_list("total_minor", flat=True)) == sum(line.total_minor for line in counts.lines)
    assert set(ImportRun.objects.values_list("state", flat=True)) == {"failed", "done"}
    assert not import_files(SYSTEM, plan=plan, now=now).merged.has_changed
