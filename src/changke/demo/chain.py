"""Eighteen months of a tea and noodle chain: the same parameters and last day give the same tables, bit by bit."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from changke.demo.baskets import bring_back, fill_baskets, settle
from changke.demo.calendar import plan_days
from changke.demo.crowd import gather_crowd
from changke.demo.parameters import Parameters
from changke.demo.shop import Shop, build_shop
from changke.demo.tables import Receipts, stage_chain, stage_wake_ups
from changke.demo.visits import draw_visits
from changke.demo.wake_ups import draw_wake_ups
from changke.insight.staging import StagedTables


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A simulated chain: its shop, what the tills and the member file recorded, and who was due to be woken."""

    first_day: date
    last_day: date
    shop: Shop
    tables: StagedTables
    wake_ups: pa.Table  # staging.OPPORTUNITIES


def simulate_chain(parameters: Parameters, *, ends_on: date) -> Chain:
    """Simulate the chain up to its last business day `ends_on` (the parameters' own one goes first).

    Each part draws from its own stream of the seed, so that a change in one leaves the draws of the others alone.
    """
    last_day = parameters.ends_on or ends_on
    first_day = last_day - timedelta(days=parameters.days - 1)
    streams = iter(np.random.default_rng(parameters.seed).spawn(8))
    shop = build_shop(next(streams), first_day=first_day)
    days = plan_days(next(streams), parameters=parameters, shop=shop, first_day=first_day)
    crowd = gather_crowd(next(streams), parameters=parameters, shop=shop, days=days)
    visits = draw_visits(next(streams), parameters=parameters, shop=shop, days=days, crowd=crowd)
    lines = fill_baskets(next(streams), parameters=parameters, shop=shop, days=days, crowd=crowd, visits=visits)
    back, lines_back, sold = bring_back(
        next(streams), parameters=parameters, shop=shop, days=days, visits=visits, lines=lines
    )
    receipts = Receipts.of(sales=visits, sold=lines, returns=back, brought=lines_back, belongs_to=sold)
    tenders = settle(next(streams), parameters=parameters, totals=receipts.totals)
    wake_ups = draw_wake_ups(next(streams), parameters=parameters, days=days, crowd=crowd, visits=visits)
    return Chain(
        first_day=first_day,
        last_day=last_day,
        shop=shop,
        tables=stage_chain(
            parameters=parameters, shop=shop, days=days, crowd=crowd, receipts=receipts, tenders=tenders
        ),
        wake_ups=stage_wake_ups(wake_ups, parameters=parameters, first_day=first_day),
    )
