"""How far the forecasts of visits can be trusted: the past forecast, compared with what came."""

from datetime import date, timedelta
from typing import Final

from changke.insight.calibration import Calibration, calibrate
from changke.insight.tables import LakeReader
from changke.queries.insight_cache import TINY_VISITS_MAX, remember
from changke.queries.lake import CurrentLake

HELD_BACK_DAYS: Final = 90


def load_trust(lake: CurrentLake) -> Calibration | None:
    """Return the forecast made 90 days before the analysis date against those days; None where too little is known."""
    return remember(lake, measure_trust, visits_max=TINY_VISITS_MAX, ends_on=lake.as_of)


def measure_trust(reader: LakeReader, *, ends_on: date) -> Calibration | None:
    return calibrate(reader, split_on=ends_on - timedelta(days=HELD_BACK_DAYS), ends_on=ends_on)
