"""The chain's trading days: how busy each store is on each day, and which months and weekdays those are."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from lunar_python import Lunar

from changke.demo.parameters import Parameters
from changke.demo.shop import Shop

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDays:
    """Days by index, 0 = the first simulated one; `traffic` is (store, day), about 1 on an average day, 0 = closed."""

    first_day: date
    months: Whole  # 1-12
    traffic: Real

    @property
    def count(self) -> int:
        return len(self.months)

    @property
    def elapsed(self) -> Real:
        """Traffic gone by at the start of each day and at the end of the last: the clock that visits run by."""
        return np.concatenate([np.zeros((len(self.traffic), 1)), self.traffic.cumsum(axis=1)], axis=1)


def plan_days(rng: np.random.Generator, *, parameters: Parameters, shop: Shop, first_day: date) -> TradingDays:
    """Work out the traffic of every store and day: season, weekday, holidays, the store's youth and the day's luck."""
    ruling = parameters.traffic
    days = [first_day + timedelta(days=index) for index in range(parameters.days)]
    weekdays = np.array([day.weekday() for day in days])
    months = np.array([day.month for day in days])
    chain = np.array(ruling.months)[months - 1] * np.array([_holiday(day, factor=ruling.holiday) for day in days])
    closed = {day for year in {day.year for day in days} for day in _festival(year, days=ruling.festival_closed_days)}
    chain[[day in closed for day in days]] = 0
    by_weekday = np.array([parameters.kinds[store.kind].weekdays for store in shop.stores])[:, weekdays]
    age = np.arange(len(days)) - np.array([store.opens_on_day for store in shop.stores])[:, None]
    youth = np.where(age < 0, 0, 1 - ruling.ramp_share * np.exp(-np.maximum(age, 0) / ruling.ramp_days))
    luck = rng.lognormal(0, ruling.weather, size=by_weekday.shape)
    return TradingDays(first_day=first_day, months=months, traffic=chain * by_weekday * youth * luck)


def _holiday(day: date, *, factor: float) -> float:
    """Return what the long holidays of May and October do to a day."""
    return factor if (day.month, day.day) in {(5, n) for n in range(1, 6)} | {(10, n) for n in range(1, 8)} else 1.0


def _festival(year: int, *, days: int) -> list[date]:
    """Return the days off at the lunar New Year: its eve and what follows."""
    solar = Lunar.fromYmd(year, 1, 1).getSolar()
    new_year = date(solar.getYear(), solar.getMonth(), solar.getDay())
    return [new_year + timedelta(days=index - 1) for index in range(days)]
