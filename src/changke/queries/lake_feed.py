"""What the lake is fed with: the facts of insight/facts.py as Arrow batches, by COPY, in one snapshot.

A pass ends at its horizon: the smallest transaction id that was still open when the snapshot was taken. The next pass
reads every sale that was written or changed by a transaction from there on, so nothing is passed over however long a
transaction took; a sale that both passes see is the same row twice, and the lake replaces by sale id.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
from django.db import connection, transaction

from changke.insight.facts import LINES, MEMBERS, OPPORTUNITIES, SALES

UNIT, PAIR = "\x1f", "\x1e"  # separators of lists and of key and value: no typed text holds them
BLOCK_BYTES: Final = 8 << 20

MEMBERS_SQL: Final = """
SELECT m.id, m.joined_on, m.status, m.gender, m.birth_year,
       coalesce(extract(month FROM m.next_birthday_on)::int, m.birth_month),
       coalesce(extract(day FROM m.next_birthday_on)::int, m.birth_day),
       coalesce(m.region_id, st.region_id), m.home_store_id, m.recruiter_id, m.source_channel,
       m.phone <> '', m.email <> '',
       coalesce(t.names, ''), coalesce(c.granted, ''), coalesce(a.pairs, ''), nullif(m.clerk_class, '')
FROM members m
LEFT JOIN stores st ON st.id = m.home_store_id
LEFT JOIN (SELECT mt.member_id, string_agg(tags.name, E'\\x1f' ORDER BY tags.name) AS names
           FROM member_tags mt JOIN tags ON tags.id = mt.tag_id GROUP BY mt.member_id) t ON t.member_id = m.id
LEFT JOIN (SELECT member_id, string_agg(channel || ':' || purpose, E'\\x1f' ORDER BY channel, purpose) AS granted
           FROM (SELECT DISTINCT ON (member_id, channel, purpose) member_id, channel, purpose, is_granted
                 FROM consents ORDER BY member_id, channel, purpose, id DESC) newest
           WHERE is_granted GROUP BY member_id) c ON c.member_id = m.id
LEFT JOIN LATERAL (SELECT string_agg(key || E'\\x1e' || value, E'\\x1f' ORDER BY key) AS pairs
                   FROM jsonb_each_text(m.attributes)) a ON m.attributes <> '{}'
ORDER BY m.id
"""

SALES_SQL: Final = """
SELECT s.id, s.member_id, s.store_id, s.staff_id, s.business_day,
       extract(hour FROM s.sold_at AT TIME ZONE st.time_zone)::int, s.kind, s.total_minor, s.quantity_milli
FROM sales s JOIN stores st ON st.id = s.store_id
"""

LINES_SQL: Final = """
SELECT l.sale_id, l.line_no, s.member_id, s.store_id, s.business_day, s.kind, l.product_id, p.category_id,
       coalesce(c.root_id, c.id), p.brand_id, l.quantity_milli, l.total_minor
FROM sale_lines l JOIN sales s ON s.id = l.sale_id JOIN products p ON p.id = l.product_id
LEFT JOIN categories c ON c.id = p.category_id
"""

OPPORTUNITIES_SQL: Final = (
    "SELECT member_id, due_on, offer_ends_on, nullif(withheld, '') FROM opportunities ORDER BY member_id, due_on"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LakeFeed:
    """One snapshot of the facts. `since` = the horizon of the pass before, None = everything."""

    since: int | None
    horizon: int

    def members(self) -> Iterator[pa.RecordBatch]:
        return (_with_lists(batch) for batch in _copy(MEMBERS_SQL, schema=_TEXT_MEMBERS))

    def sales(self) -> Iterator[pa.RecordBatch]:
        return _copy(SALES_SQL + self._changed(), schema=SALES)

    def lines(self) -> Iterator[pa.RecordBatch]:
        return _copy(LINES_SQL + self._changed(), schema=LINES)

    def opportunities(self) -> Iterator[pa.RecordBatch]:
        return _copy(OPPORTUNITIES_SQL, schema=OPPORTUNITIES)

    def count_changed_sales(self) -> int:
        """Return how many sales this pass will read."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM sales WHERE xid >= %s", [self.since or 0])
            return int(cursor.fetchone()[0])

    def _changed(self) -> str:
        return "" if self.since is None else f" WHERE s.xid >= {self.since:d}"


@contextmanager
def open_feed(*, since: int | None) -> Iterator[LakeFeed]:
    """Open a feed over one snapshot of the database; read it inside the block."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not connection.in_atomic_block or not connection.savepoint_ids:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")
        yield LakeFeed(since=since, horizon=int(cursor.fetchone()[0]))


_TEXT_MEMBERS: Final = pa.schema(
    [pa.field(f.name, pa.string()) if f.name in {"tags", "consents", "attributes"} else f for f in MEMBERS]
)


def _copy(query: str, *, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a query as batches of a schema; the query's columns stand in the schema's order."""
    convert = csv.ConvertOptions(
        column_types=schema,
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    read = csv.ReadOptions(column_names=schema.names, block_size=BLOCK_BYTES, use_threads=False)
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copy:
        source = _CopySource(copy)
        if not source.peek():
            return
        # COPY hands over row by row; buffered, Arrow gets whole blocks and makes batches of them.
        blocks = io.BufferedReader(source, BLOCK_BYTES)
        parse = csv.ParseOptions(newlines_in_values=True)
        for batch in csv.open_csv(blocks, read_options=read, convert_options=convert, parse_options=parse):
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)


def _with_lists(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch of members with its joined texts split into lists and pairs."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    for name in ("tags", "consents"):
        columns[name] = _split(columns[name])
    pairs = _split(columns["attributes"])
    keys_values = pc.split_pattern(pairs.values, PAIR, max_splits=1)
    columns["attributes"] = pa.MapArray.from_arrays(
        pairs.offsets, pc.list_element(keys_values, 0), pc.list_element(keys_values, 1)
    )
    return pa.RecordBatch.from_arrays([columns[field.name] for field in MEMBERS], schema=MEMBERS)


def _split(texts: pa.Array) -> pa.ListArray:
    """Split texts at UNIT; an empty text is an empty list."""
    lists = pc.split_pattern(texts, UNIT)
    lengths = pc.if_else(pc.equal(texts, ""), 0, pc.list_value_length(lists))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])
    values = lists.flatten()
    if pc.any(pc.equal(texts, "")).as_py():
        values = pc.filter(values, pc.not_equal(values, ""))
    return pa.ListArray.from_arrays(offsets, values)


class _CopySource(io.RawIOBase):
    """A COPY as a file that Arrow can read."""

    def __init__(self, copy: Any) -> None:
        self._blocks = iter(copy)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def peek(self) -> bool:
        """Say whether there is anything to read."""
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return False
            self._rest = memoryview(bytes(block))
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.peek():
            return 0
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken
