"""Segments in the back office: counted while typed, saved, shared, exported; each store sees its own members."""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from changke.actions.lake import refresh_lake
from changke.actions.segments import note_segment_sizes
from changke.records.models import AuditEntry, Member, Segment, SegmentSize
from changke.rules.staff import SYSTEM, Role

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Client]
FREQUENT = {"where": {"kind": "number", "field": "receipts_ever", "low": 5}}


def count(client: Client, tree: object) -> str:
    return client.post(reverse("segment_live"), {"tree": json.dumps(tree)}).content.decode()


def save(client: Client, tree: object, **card: str) -> str:
    data = {"name": "常来的人", "sharing": "company", "tree": json.dumps(tree), **card}
    answer = client.post(reverse("segment_new"), data)
    assert answer.status_code == 302, answer.content.decode()
    return str(Segment.objects.get(name=data["name"]).public_id)


def test_the_count_follows_the_tree(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.MARKETING)
    assert 'data-count="6"' in count(client, FREQUENT)
    assert 'data-count="12"' in count(client, {"where": {"kind": "all", "parts": []}})
    bought = {"kind": "bought", "last_days": 10, "times_low": 1}
    assert 'data-count="10"' in count(client, {"where": bought})
    assert 'data-count="2"' in count(client, {"where": {"kind": "not", "part": bought}})


def test_every_problem_names_its_condition(small_shop: list[Member], sign_in: SignIn) -> None:
    wrong = {"where": {"kind": "all", "parts": [{"kind": "number", "field": "nonsense", "low": 1}]}}
    assert 'data-place="1"' in count(sign_in(Role.MARKETING), wrong)
    assert "data-count" not in count(sign_in(Role.MARKETING), "not a tree")


def test_saved_shown_changed_and_put_away(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.MARKETING)
    public_id = save(client, FREQUENT)
    page = client.get(reverse("segment", args=[public_id])).content.decode()
    assert 'data-count="6"' in page
    other = {"where": {"kind": "number", "field": "receipts_ever", "low": 9}}
    change = {"name": "常来的人", "sharing": "company", "tree": json.dumps(other), "version": "1"}
    assert client.post(reverse("segment_edit", args=[public_id]), change).status_code == 302
    stale = client.post(reverse("segment_edit", args=[public_id]), change | {"name": "又改"})
    assert stale.status_code == 200
    assert Segment.objects.get(public_id=public_id).name == "常来的人"
    client.post(reverse("segment_put_away", args=[public_id]))
    assert public_id not in client.get(reverse("segments")).content.decode()
    client.post(reverse("segment_bring_back", args=[public_id]))
    assert public_id in client.get(reverse("segments")).content.decode()
    actions = list(AuditEntry.objects.filter(subject_kind="segment").order_by("id").values_list("action", flat=True))
    assert actions == ["save_segment", "change_segment", "put_away_segment", "bring_back_segment"]


def test_a_segment_of_segments(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.MARKETING)
    first = save(client, FREQUENT)
    number = Segment.objects.get(public_id=first).id
    both = {"where": {"kind": "all", "parts": [{"kind": "segment", "segment_id": number}, {"kind": "number", "field": "receipts_ever", "high": 7}]}}  # fmt: skip # noqa: E501
    assert 'data-count="3"' in count(client, both)
    save(client, both, name="其中的几位")
    client.post(reverse("segment_put_away", args=[first]))
    assert Segment.objects.get(public_id=first).archived_at is None, "another segment builds on it"
    circle = {"where": {"kind": "segment", "segment_id": number}}
    answer = client.post(
        reverse("segment_edit", args=[first]),
        {"name": "常来的人", "sharing": "company", "tree": json.dumps(circle), "version": "1"},
    )
    assert answer.status_code == 200
    assert Segment.objects.get(public_id=first).version == 1


@pytest.mark.promise(33)
def test_a_store_counts_its_own_members_only(small_shop: list[Member], sign_in: SignIn) -> None:
    public_id = save(sign_in(Role.MARKETING), FREQUENT)
    manager = sign_in(Role.STORE_MANAGER)
    assert 'data-count="3"' in manager.get(reverse("segment", args=[public_id])).content.decode()
    assert 'data-count="6"' in count(manager, {"where": {"kind": "all", "parts": []}})
    assert manager.get(reverse("segment_edit", args=[public_id])).status_code == 404
    private = save(sign_in(Role.MARKETING), FREQUENT, name="我的", sharing="private")
    assert manager.get(reverse("segment", args=[private])).status_code == 404


def test_the_file_holds_the_same_members(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.MARKETING)
    public_id = save(client, FREQUENT)
    answer = client.get(reverse("segment_export", args=[public_id, "csv"]))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert [next(iter(row.values())) for row in rows] == [f"m{n}" for n in range(4, 10)]
    assert all("****" in "".join(row.values()) for row in rows), "marketing sees masked phones"
    assert AuditEntry.objects.get(action="export_segment").after == {"as": "csv", "members": 6}
    workbook = client.get(reverse("segment_export", args=[public_id, "xlsx"]))
    assert b"".join(workbook.streaming_content).startswith(b"PK")  # type: ignore[attr-defined]
    assert client.get(reverse("segment_export", args=[public_id, "exe"])).status_code == 404


def test_sizes_are_noted_once_a_date(small_shop: list[Member], sign_in: SignIn, now: datetime) -> None:
    save(sign_in(Role.MARKETING), FREQUENT)
    assert (note_segment_sizes(SYSTEM, now=now), note_segment_sizes(SYSTEM, now=now)) == (1, 0)
    refresh_lake(now=now + timedelta(days=1))
    assert note_segment_sizes(SYSTEM, now=now + timedelta(days=1)) == 1
    assert list(SegmentSize.objects.order_by("as_of").values_list("size", flat=True)) == [6, 6]


def test_choices_are_found_by_name(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.MARKETING)
    found = client.get(reverse("segment_options"), {"kind": "product", "q": "龙"}).json()["found"]
    assert [name for _id, name in found] == ["龙井"]
    assert client.get(reverse("segment_options"), {"kind": "nonsense"}).status_code == 404
    assert client.get(reverse("segment_new")).status_code == 200
