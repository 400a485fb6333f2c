"""The class table, row by row, and that every member has exactly one class whatever the settings."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.rules.lifecycle import (
    SHIPPED_PRECEDENCE,
    AtExpected,
    Combine,
    LifeClass,
    LifecycleSettings,
    NewMeans,
    Opportunity,
    Stage,
    StageStarts,
    Standing,
    Visit,
    VisitCount,
    classify_member,
    stage_on,
)

T = date(2026, 6, 30)
SHIPPED = LifecycleSettings()


def ago(days: int) -> date:
    return T - timedelta(days=days)


def classify(
    *days: int, wakes: tuple[tuple[int, int], ...] = (), settings: LifecycleSettings = SHIPPED, receipts: int = 1
) -> Standing:
    visits = [Visit(day=ago(day), receipts=receipts, items_milli=1000) for day in days]
    opportunities = [Opportunity(due_on=ago(due), offer_ends_on=ago(end)) for due, end in wakes]
    return classify_member(visits, opportunities=opportunities, on=T, settings=settings)


@pytest.mark.parametrize(
    ("days", "life_class", "origin"),
    [
        ((), "unbought", None),
        ((0,), "new", None),
        ((59,), "new", None),
        ((60,), "sleeping", "new"),
        ((89,), "sleeping", "new"),
        ((1, 89), "returning", None),
        ((1, 90), "new", None),  # the visit 90 days ago has left the window of 90 days
        ((1, 2, 3), "active", None),  # exactly as expected
        ((1, 2, 3, 4), "active", None),
        ((1, 1, 1), "new", None),  # three receipts of one day are one visit
        ((60, 149), "sleeping", "returning"),
        ((60, 150), "sleeping", "new"),
        ((400, 401, 402), "sleeping", "active"),
    ],
)
def test_class_table(days: tuple[int, ...], life_class: str, origin: str | None) -> None:
    standing = classify(*days)
    assert (standing.life_class, standing.origin_class) == (life_class, origin)


@pytest.mark.parametrize(
    ("days", "changed", "life_class"),
    [
        ((1, 2, 3), LifecycleSettings(at_expected=AtExpected.RETURNING), "returning"),
        ((1, 2, 3, 4), LifecycleSettings(at_expected=AtExpected.RETURNING), "active"),
        ((1, 300), LifecycleSettings(new_means=NewMeans.FIRST_EVER), "returning"),
        ((1,), LifecycleSettings(new_means=NewMeans.FIRST_EVER), "new"),
        ((70,), LifecycleSettings(precedence=(LifeClass.NEW, *(c for c in SHIPPED_PRECEDENCE if c != "new"))), "new"),
        ((1, 1, 1), LifecycleSettings(count=VisitCount.RECEIPTS), "active"),
        ((1, 1), LifecycleSettings(count=VisitCount.ITEMS), "returning"),
        ((19,), LifecycleSettings(cycle_days=10, expected_visits=2), "new"),
        ((20,), LifecycleSettings(cycle_days=10, expected_visits=2), "sleeping"),
        ((1, 2), LifecycleSettings(cycle_days=10, expected_visits=2), "active"),
    ],
)
def test_settings_of_the_table(days: tuple[int, ...], changed: LifecycleSettings, life_class: str) -> None:
    assert classify(*days, settings=changed).life_class == life_class


OR = LifecycleSettings(combine=Combine.OR)


@pytest.mark.parametrize(
    ("last", "wakes", "settings", "life_class"),
    [
        (200, ((140, 110), (80, 50)), SHIPPED, "lost"),  # two unanswered, the first 140 days ago
        (200, ((140, 110),), SHIPPED, "sleeping"),  # one wake-up only
        (200, ((140, 110), (30, 0)), SHIPPED, "sleeping"),  # the second offer ends today: not lapsed
        (200, ((140, 110), (30, 1)), SHIPPED, "lost"),
        (100, ((59, 40), (35, 10)), SHIPPED, "sleeping"),  # 59 days of sends
        (100, ((60, 40), (35, 10)), SHIPPED, "lost"),
        (100, ((59, 40), (35, 10)), OR, "lost"),
        (100, ((60, 40),), OR, "lost"),
        (100, ((59, 40),), OR, "sleeping"),
        (70, ((200, 150), (140, 110)), SHIPPED, "sleeping"),  # answered since: a row begins anew after a visit
        (70, ((70, 60), (65, 5)), SHIPPED, "sleeping"),  # the visit on the due day is the answer
        (300, (), SHIPPED, "sleeping"),  # no wake-up, nobody is lost
        (300, (), LifecycleSettings(lost_without_sends_after_days=300), "lost"),
        (299, (), LifecycleSettings(lost_without_sends_after_days=300), "sleeping"),
        (59, (), LifecycleSettings(lost_without_sends_after_days=10), "new"),  # lost means first of all sleeping
        (200, ((140, 110),), LifecycleSettings(lost_after_sends=1), "lost"),
    ],
)
def test_lost_is_decided_from_wake_ups(
    last: int, wakes: tuple[tuple[int, int], ...], settings: LifecycleSettings, life_class: str
) -> None:
    assert classify(last, wakes=wakes, settings=settings).life_class == life_class


def test_later_visits_do_not_count() -> None:
    visits = [Visit(day=ago(day), receipts=1, items_milli=1000) for day in (100, 1)]
    assert classify_member(visits, on=ago(50), settings=SHIPPED).life_class == "new"


SETTINGS = st.builds(
    LifecycleSettings,
    cycle_days=st.integers(1, 40),
    expected_visits=st.integers(2, 6),
    at_expected=st.sampled_from(AtExpected),
    new_means=st.sampled_from(NewMeans),
    precedence=st.permutations(SHIPPED_PRECEDENCE).map(tuple),
    count=st.sampled_from(VisitCount),
)


@given(days=st.lists(st.integers(0, 300), max_size=15), settings=SETTINGS, items=st.integers(0, 3000))
def test_every_member_has_one_class(days: list[int], settings: LifecycleSettings, items: int) -> None:
    visits = [Visit(day=ago(day), receipts=1, items_milli=items) for day in days]
    standing = classify_member(visits, on=T, settings=settings)
    assert (standing.life_class == "unbought") == (not days)
    assert (standing.origin_class is not None) == (standing.life_class in ("sleeping", "lost"))
    assert standing.origin_class not in ("sleeping", "lost", "unbought")


@pytest.mark.parametrize(
    ("joined", "stage"),
    [(0, "introduction"), (29, "introduction"), (30, "growth"), (180, "maturity"), (540, "dormancy"), (720, "loss")],
)
def test_stage_by_days_since_registration(joined: int, stage: str) -> None:
    assert stage_on(T, joined_on=ago(joined), first_visit_on=ago(1), starts=SHIPPED.stage_starts) == stage


def test_stage_without_registration() -> None:
    assert stage_on(T, joined_on=None, first_visit_on=ago(31), starts=SHIPPED.stage_starts) == Stage.GROWTH
    assert stage_on(T, joined_on=None, first_visit_on=None, starts=SHIPPED.stage_starts) == Stage.UNKNOWN


@pytest.mark.parametrize(
    "wrong",
    [
        {"cycle_days": 0},
        {"expected_visits": 1},
        {"precedence": (LifeClass.NEW,)},
        {"lost_after_sends": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        LifecycleSettings(**wrong)  # type: ignore[arg-type]


def test_stages_begin_one_after_another() -> None:
    with pytest.raises(ValueError, match="one after another"):
        StageStarts(growth=30, maturity=30)
