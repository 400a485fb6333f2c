"""Simulate the demo's chain, time it and print its figures: `python bench/demo_figures.py [last day, YYYY-MM-DD]`."""

import sys
from datetime import date
from time import perf_counter

from changke.demo.chain import simulate_chain
from changke.demo.figures import measure_chain, spell_figures
from changke.demo.parameters import load_parameters


def main() -> None:
    last_day = date.fromisoformat(sys.argv[1]) if len(sys.argv) > 1 else date(2026, 6, 30)
    started = perf_counter()
    chain = simulate_chain(load_parameters(), ends_on=last_day)
    print(f"{'simulated in':20} {perf_counter() - started:.2f} s, {chain.first_day} .. {chain.last_day}")
    print("\n".join(f"{name:20} {value}" for name, value in spell_figures(measure_chain(chain)).items()))


if __name__ == "__main__":
    main()
