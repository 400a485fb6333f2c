"""Names under which brought files are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.rules.imports.files import NAME_BYTES_MAX, safe_names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("2026年10月 销售.csv", "2026年10月 销售.csv"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\till\\day.csv.gz", "day.csv.gz"),
        (".hidden.csv", "hidden.csv"),
        ("a\nb.csv", "a_b.csv"),
        ("...", "file"),
        ("常" * 100 + ".csv", "常" * 65 + ".csv"),
    ],
)
def test_a_name_stays_what_its_user_knows(name: str, safe: str) -> None:
    assert safe_names([name]) == [safe]


def test_two_of_a_name_are_told_apart() -> None:
    assert safe_names(["a.csv", "A.csv", "a.csv"]) == ["a.csv", "A (2).csv", "a (3).csv"]


@given(st.lists(st.text(max_size=300), max_size=8))
def test_every_name_is_safe_and_its_own(names: list[str]) -> None:
    safe = safe_names(names)
    assert len({name.lower() for name in safe}) == len(names)
    assert all(name and "/" not in name and not name.startswith(".") for name in safe)
    assert all(len(name.encode()) <= NAME_BYTES_MAX + len(" (99)") for name in safe)
