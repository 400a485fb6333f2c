from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from changke.demo.chain import Chain, simulate_chain
from changke.demo.parameters import load_parameters

LAST_DAY = date(2026, 6, 30)


@pytest.fixture(scope="session")
def chain() -> Chain:
    """The shipped chain in full size: less than two seconds."""
    return simulate_chain(load_parameters(), ends_on=LAST_DAY)


@pytest.fixture(scope="session")
def duck(chain: Chain) -> Iterator[duckdb.DuckDBPyConnection]:
    """The chain's tables under their names."""
    with duckdb.connect() as duck:
        for name in ("stores", "products", "members", "sales", "lines", "tenders"):
            duck.register(name, getattr(chain.tables, name))
        duck.register("wake_ups", chain.wake_ups)
        yield duck
