"""Days of purchase that imports have noted, brought to the members in small pieces beside a working shop."""

from typing import Final

from django.db import transaction

from changke.actions.steps.bulk_copy import run

PIECE: Final = 2000  # members; the row of one is held for as long as a piece takes

SETTLE: Final = """
    WITH taken AS (
        DELETE FROM imported_days WHERE id IN (
            SELECT id FROM imported_days ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
        RETURNING member_id, first_on, last_on
    ), noted AS (
        SELECT member_id, min(first_on) AS first_on, max(last_on) AS last_on, bool_or(first_on IS NULL) AS asks_all
        FROM taken GROUP BY member_id
    ), settled AS (
        SELECT n.member_id,
               CASE WHEN asks_all THEN s.first_on ELSE least(m.first_sale_on, n.first_on) END AS first_on,
               CASE WHEN asks_all THEN s.last_on ELSE greatest(m.last_sale_on, n.last_on) END AS last_on
        FROM noted n JOIN members m ON m.id = n.member_id
        LEFT JOIN LATERAL (
            SELECT min(business_day) AS first_on, max(business_day) AS last_on FROM sales
            WHERE asks_all AND member_id = n.member_id AND kind = 'sale') AS s ON true
        ORDER BY n.member_id FOR NO KEY UPDATE OF m
    ), written AS (
        UPDATE members m SET first_sale_on = s.first_on, last_sale_on = s.last_on FROM settled s
        WHERE m.id = s.member_id AND (m.first_sale_on, m.last_sale_on) IS DISTINCT FROM (s.first_on, s.last_on)
    )
    SELECT member_id FROM taken
"""


def settle_days() -> None:
    """Bring every noted day to its member, a piece in a transaction; two at once share the work. Safe to repeat."""
    while True:
        with transaction.atomic():
            if run(SETTLE, [PIECE]) == 0:
                return
