"""What the analysis knows of members: their wide rows in the current lake, as of its analysis date."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from changke.queries.lake import current_lake
from changke.rules.features import FeatureRow

COLUMNS = tuple(field.name for field in fields(FeatureRow))


def load_features(member_ids: Iterable[int]) -> dict[int, FeatureRow]:
    """Return the wide rows of members by id; who is not in the lake yet is missing, without a lake everybody is.

    Give only ids that the viewer may see.
    """
    wanted = sorted(set(member_ids))
    lake = current_lake()
    if lake is None or not wanted:
        return {}
    features = lake.reader.table("features")
    found = lake.reader.run(features.filter(features.member_id.isin(wanted)).select(*COLUMNS))
    return {row["member_id"]: FeatureRow(**_frozen(row)) for row in found.to_pylist()}


def _frozen(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
