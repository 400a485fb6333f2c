"""Which value wins, which consent holds, and what an undo gives back."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.rules.merges import (
    EARLIEST,
    GROUPS,
    LATEST,
    MergeRefusal,
    Side,
    decide_merge,
    refuse_merge,
    restore_attributes,
    restore_fields,
)

EMPTY: dict[str, Any] = {
    **{column: "" for columns in GROUPS.values() for column in columns},
    **dict.fromkeys((*EARLIEST, *LATEST)),
    "birth_month": None,
    "birth_day": None,
    "birth_calendar": "solar",
    "status": "formal",
    "attributes": {},
}
SMS, MAIL = ("sms", "marketing"), ("email", "marketing")


def decide(survivor: dict[str, Any], loser: dict[str, Any], **more: Any) -> Any:
    consents = {"survivor_consents": {}, "loser_consents": {}}
    return decide_merge({**EMPTY, **survivor}, loser={**EMPTY, **loser}, **{**consents, **more})


def test_the_survivor_wins_unless_it_is_empty() -> None:
    found = decide({"name": "王", "name_initials": "w"}, {"name": "李", "name_initials": "l", "email": "l@x.cn"})
    assert found.changes == {"email": "l@x.cn"}
    assert (found.sides["name"], found.sides["email"]) == (Side.SURVIVOR, Side.LOSER)


def test_what_belongs_together_stays_together() -> None:
    lunar = {"birth_calendar": "lunar", "birth_month": 8, "birth_day": 15}
    assert decide({}, lunar).changes == lunar
    kept = decide({"birth_month": 5, "birth_day": 1}, lunar)
    assert kept.changes == {}
    wished = decide({"birth_month": 5, "birth_day": 1}, lunar, choices={"birthday": Side.LOSER})
    assert wished.changes == lunar


def test_days_and_status() -> None:
    early, late = date(2020, 1, 1), date(2026, 1, 1)
    survivor = {"joined_on": late, "first_sale_on": late, "last_sale_on": early, "status": "provisional"}
    loser = {"joined_on": early, "first_sale_on": None, "last_sale_on": late}
    assert decide(survivor, loser).changes == {"joined_on": early, "last_sale_on": late, "status": "formal"}
    assert "status" not in decide({}, {"status": "provisional"}).changes


def test_attributes_are_filled_up() -> None:
    assert decide({"attributes": {"a": "1"}}, {"attributes": {"a": "2", "b": "3"}}).attributes == {"a": "1", "b": "3"}


@pytest.mark.parametrize(
    ("ours", "theirs", "changed"),
    [
        ({SMS: True}, {SMS: False}, {SMS: False}),
        ({SMS: False}, {SMS: True}, {}),
        ({SMS: True}, {}, {}),
        ({}, {SMS: True, MAIL: False}, {SMS: True, MAIL: False}),
    ],
)
def test_a_refusal_wins_and_silence_does_not(ours: Any, theirs: Any, changed: Any) -> None:
    assert decide({}, {}, survivor_consents=ours, loser_consents=theirs).consents == changed


@pytest.mark.parametrize(
    ("ids", "statuses", "refusal"),
    [
        ((1, 1), ("formal", "formal"), MergeRefusal.SAME_MEMBER),
        ((1, 2), ("formal", "closed"), MergeRefusal.NOT_ALIVE),
        ((1, 2), ("merged", "formal"), MergeRefusal.NOT_ALIVE),
        ((1, 2), ("formal", "frozen"), MergeRefusal.FROZEN),
        ((1, 2), ("prospect", "formal"), None),
    ],
)
def test_refusals(ids: tuple[int, int], statuses: tuple[str, str], refusal: MergeRefusal | None) -> None:
    assert refuse_merge(survivor_id=ids[0], loser_id=ids[1], statuses=statuses) is refusal


def test_an_undo_leaves_later_changes_alone() -> None:
    put, before = {"email": "b", "phone": "2"}, {"email": "a", "phone": "1"}
    assert restore_fields({"email": "b", "phone": "3"}, put=put, before=before) == {"email": "a"}


texts = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("12"))


@given(ours=texts, theirs=texts, later=texts)
def test_attributes_go_back_but_for_later_edits(ours: Any, theirs: Any, later: Any) -> None:
    put = {**theirs, **ours}
    assert restore_attributes(put, put=put, before=ours) == ours
    found = restore_attributes({**put, **later}, put=put, before=ours)
    for key, value in later.items():
        assert found.get(key) == value or (put.get(key) == value and found.get(key) == ours.get(key))
