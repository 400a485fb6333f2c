"""Opportunities: wake-ups that were due before this system sent any, taken over from a program or a file."""

from datetime import datetime

import duckdb
import pyarrow as pa
from django.db import transaction

from changke.actions.steps.audit import record_audit
from changke.actions.steps.bulk_copy import copy_in, run
from changke.insight.staging import OPPORTUNITIES
from changke.rules.staff import Permission, Viewer, require

SQL = """
INSERT INTO opportunities (member_id, due_on, offer_ends_on, withheld)
SELECT c.member_id, i.due_on, i.offer_ends_on, coalesce(i.withheld, '')
FROM incoming_opportunities i JOIN sources s ON s.code = %s
JOIN member_codes c ON c.source_id = s.id AND c.code = i.member_code
ON CONFLICT (member_id, due_on) DO NOTHING
"""


@transaction.atomic
def load_opportunities(rows: pa.Table, *, source: str, now: datetime, actor: Viewer) -> int:
    """Add wake-ups (insight.staging.OPPORTUNITIES) by the source's member codes and return how many are new.

    Those of a member and day that are known stay as they are; those of an unknown member are left out.
    """
    require(actor, permission=Permission.IMPORT_DATA)
    run("CREATE TEMP TABLE incoming_opportunities"
        " (member_code text, due_on date, offer_ends_on date, withheld text)")  # fmt: skip
    with duckdb.connect() as duck:
        duck.register("given", rows)
        columns = OPPORTUNITIES.names
        copy_in(duck, f"SELECT {', '.join(columns)} FROM given", table="incoming_opportunities", columns=columns)  # noqa: S608
    added = run(SQL, [source])
    run("DROP TABLE incoming_opportunities")
    if added:
        after = {"source": source, "opportunities": added}
        record_audit(
            actor, now=now, action="load_opportunities", subject_kind="opportunity", subject_id=None, after=after
        )
    return added
