"""Places in an order without sorting it: order-preserving integer keys and exact order statistics by `quantile_disc`.

A window sort of a million members costs several times what the aggregation of ten million visits does; four order
statistics of a key that carries value and member id cost a tenth of it and give the same places.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import ibis
from ibis.backends.duckdb import Backend

LARGEST: Final = 2**63 - 1


@ibis.udf.agg.builtin(name="quantile_disc", signature=(("int64", "array<float64>"), "array<int64>"))  # type: ignore[untyped-decorator]
def values_at(values: ibis.Value, shares: ibis.Value) -> ibis.Value:
    """The smallest values that reach each share: DuckDB's own, exact."""


@ibis.udf.agg.builtin(name="quantile_disc", signature=(("decimal(38, 0)", "array<float64>"), "array<decimal(38, 0)>"))  # type: ignore[untyped-decorator]
def _wide_values_at(values: ibis.Value, shares: ibis.Value) -> ibis.Value:
    """The same for keys beyond 63 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The least and the greatest of a column, and how many rows there are."""

    low: int
    high: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """Values joined with member ids to integers that sort as (value, member id)."""

    value: Span
    member: Span

    @property
    def width(self) -> int:
        return self.member.high - self.member.low + 1

    def key(self, values: ibis.Value, members: ibis.Value) -> ibis.Value:
        if (self.value.high - self.value.low + 1) * self.width > LARGEST:  # ids far apart: 38 digits hold any two int64
            values, members = values.cast("decimal(19, 0)"), members.cast("decimal(19, 0)")
        return (values - self.value.low) * self.width + (members - self.member.low)

    def split(self, key: int) -> tuple[int, int]:
        """Return the value and the member of a key."""
        value, member = divmod(key, self.width)
        return value + self.value.low, member + self.member.low


def measure_spans(engine: Backend, table: ibis.Table, *, columns: Sequence[str]) -> dict[str, Span]:
    """Return the span of each integer column in one pass; empty where the table has no rows."""
    bounds = {f"{column}_{end}": getattr(table[column], end)() for column in columns for end in ("min", "max")}
    row = engine.to_pyarrow(table.aggregate(count_=table.count(), **bounds)).to_pylist()[0]
    if not row["count_"]:
        return {}
    return {
        column: Span(low=row[f"{column}_min"], high=row[f"{column}_max"], count=row["count_"]) for column in columns
    }


def order_statistics(
    engine: Backend, table: ibis.Table, *, columns: Sequence[ibis.Value], positions: Sequence[Sequence[int]], count: int
) -> list[list[int]]:
    """Return for each integer column the values at its positions (from 0) of the ascending order, exactly."""
    wanted = {
        f"c{at}": (_wide_values_at if column.type().is_decimal() else values_at)(
            column, ibis.array([(place + 0.5) / count for place in places])  # the middle of a step: nothing to round
        )
        for at, (column, places) in enumerate(zip(columns, positions, strict=True))
        if places
    }  # fmt: skip
    row = engine.to_pyarrow(table.aggregate(**wanted)).to_pylist()[0] if wanted else {}
    return [row.get(f"c{at}", []) for at in range(len(columns))]


def find_ends(
    engine: Backend, table: ibis.Table, *, columns: Sequence[str], positions: Callable[[int], Sequence[Sequence[int]]]
) -> list[list[tuple[int, int]]]:
    """Return for each column the (value, member id) at positions of the order by value, then member; `positions` gets
    the count.
    """
    spans = measure_spans(engine, table, columns=("member_id", *columns))
    if not spans:
        return [[] for _ in columns]
    count = spans["member_id"].count
    keys = [Keyed(value=spans[name], member=spans["member_id"]) for name in columns]
    found = order_statistics(
        engine,
        table,
        columns=[key.key(table[name], table.member_id) for key, name in zip(keys, columns, strict=True)],
        positions=positions(count),
        count=count,
    )
    return [[key.split(int(cut)) for cut in of] for key, of in zip(keys, found, strict=True)]


def count_passed(value: ibis.Value, member: ibis.Value, ends: Iterable[tuple[int, int | None]]) -> ibis.Value:
    """Count the ends that lie below (value, member id); an end without member is passed by a greater value only."""
    passed = (value > end if of is None else (value > end) | ((value == end) & (member > of)) for end, of in ends)
    return sum((one.cast("int64") for one in passed), ibis.literal(0, "int64"))
