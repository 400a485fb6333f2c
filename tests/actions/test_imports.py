"""Imports: merged once and only once, corrected, linked, filled, rehearsed, stopped, and one at a time."""

import csv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from django.db import connection

from changke.actions.company import set_up_company
from changke.actions.imports import (
    ImportResult,
    ask_for_import,
    cancel_import,
    import_files,
    load_history,
    run_import,
)
from changke.actions.steps import bulk_merge
from changke.actions.steps.bulk_beside import import_lock
from changke.actions.steps.bulk_days import settle_days
from changke.insight import staging
from changke.insight.staging import StagedTables
from changke.kernel.errors import ChangkeError
from changke.records.models import (
    AttributeDefinition,
    AuditEntry,
    Card,
    Category,
    Consent,
    Event,
    ImportedDay,
    ImportRun,
    Member,
    MemberCode,
    MemberTag,
    Product,
    Sale,
    SaleLine,
    Staff,
    Store,
    Tender,
    Upload,
)
from changke.rules.company import CompanyCard
from changke.rules.imports.plan import ImportMode, ImportPlan, ImportState
from changke.rules.imports.words import CleaningRule, Progress, Stage
from changke.rules.staff import SYSTEM

pytestmark = pytest.mark.django_db
COMMITS = pytest.mark.django_db(transaction=True)  # what another connection sees

SALES = """单号,销售时间,门店,收银员,会员号,商品编码,商品名称,分类,品牌,数量,单价,支付方式
A1,2026-10-01 09:30:00,S1,E1,M1,P1,龙井,茶,山雀,2,12.50,微信
A1,2026-10-01 09:30:00,S1,E1,M1,P2,牛肉面,面,,1,28,微信
A2,2026-10-02 18:00:00,S2,E2,,P1,龙井,茶,山雀,1,12.50,现金
A3,2026-10-05 12:00:00,S1,E1,M1,P1,龙井,茶,山雀,-1,12.50,微信
A4,2026-10-06 12:00:00,S1,E1,M2,P9,,,,1,0,
"""
MEMBERS = """会员号,姓名,手机号,性别,生日,入会日期,卡号,标签,短信同意,口味
M1,王小明,138 0013 8000,男,1990-02-14,2025-03-01,K1,常客;爱茶,是,辣
M2,单雄信,021-5555,女,1985-13-40,2025-04-01,K2,,否,
"""


@pytest.fixture(autouse=True)
def company(home: Path, now: datetime) -> None:
    set_up_company(SYSTEM, card=CompanyCard(name="山雀茶面"), now=now)


def write(home: Path, text: str, *, name: str = "sales.csv") -> Path:
    path = home / name
    path.write_text(text, encoding="utf-8")
    return path


def bring(path: Path, *, now: datetime, **wishes: object) -> ImportResult:
    return import_files(SYSTEM, plan=ImportPlan(paths=(str(path),), **wishes), now=now)  # type: ignore[arg-type]


def elsewhere(work: Callable[[], None]) -> None:
    """Do something on a connection of its own, as another process would."""

    def on_its_own() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(on_its_own).result()


def footprint() -> dict[str, object]:
    """Everything that an import could have written, row by row."""
    rows: dict[str, object] = {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Store, Staff, Category, Product, Member, MemberCode, Card, MemberTag, Consent, Sale, SaleLine,
                      Tender, Event, AuditEntry)
    }  # fmt: skip
    return rows


def test_sales_arrive_with_everything_around_them(home: Path, now: datetime) -> None:
    result = bring(write(home, SALES), now=now)
    assert (result.profile, result.merged.sales_new, result.merged.lines_written) == ("generic_sales", 3, 4)
    sale = Sale.objects.get(sale_no="A1")
    assert (sale.total_minor, sale.quantity_milli, sale.line_count, sale.kind) == (5300, 3000, 2, "sale")
    assert (sale.store.code, sale.staff.code, sale.member.code) == ("S1", "E1", "M1")  # type: ignore[union-attr]
    assert (sale.business_day, sale.sold_at.isoformat()) == (date(2026, 10, 1), "2026-10-01T01:30:00+00:00")
    assert [(line.line_no, line.product.name, line.total_minor) for line in sale.lines.order_by("line_no")] == [
        (1, "龙井", 2500),
        (2, "牛肉面", 2800),
    ]
    product = Product.objects.get(code="P1")
    assert (product.category.path, product.brand.name) == ("茶", "山雀")  # type: ignore[union-attr]
    assert list(Tender.objects.filter(sale=sale).values_list("kind", "amount_minor")) == [("wechat_pay", 5300)]
    assert Sale.objects.get(sale_no="A2").member is None
    member = Member.objects.get(code="M1")
    assert (member.first_sale_on, member.last_sale_on) == (date(2026, 10, 1), date(2026, 10, 1))


def test_a_return_belongs_to_its_sale(home: Path, now: datetime) -> None:
    result = bring(write(home, SALES), now=now)
    returned = Sale.objects.get(sale_no="A3")
    assert (returned.kind, returned.total_minor, returned.quantity_milli) == ("return", -1250, -1000)
    assert returned.original_sale == Sale.objects.get(sale_no="A1")
    assert returned.lines.get().original_line_no == 1
    assert result.cleaning.returned_lines_linked == 1


def test_a_return_finds_its_sale_of_an_earlier_import(home: Path, now: datetime) -> None:
    head, *rows = SALES.splitlines(keepends=True)
    bring(write(home, head + "".join(rows[:3])), now=now)
    third = rows[3].replace("A3,2026-10-05", "A5,2026-10-06")  # a second one: only 2 were sold
    fourth = rows[3].replace("A3,2026-10-05", "A6,2026-10-07")
    path = write(home, head + rows[3] + third + fourth, name="later.csv")
    rehearsed = bring(path, now=now, mode=ImportMode.REHEARSAL).merged
    assert bring(path, now=now).merged == rehearsed
    assert rehearsed.returned_lines_linked == 2
    original = Sale.objects.get(sale_no="A1")
    links = (
        Sale.objects.filter(kind="return")
        .order_by("sale_no")
        .values_list("original_sale_id", "lines__original_line_no")
    )
    assert list(links) == [(original.id, 1), (original.id, 1), (None, None)]
    before = footprint()
    bring(path, now=now)
    assert footprint() == before


def test_refused_rows_stand_in_a_report_with_cure_and_text(home: Path, now: datetime) -> None:
    result = bring(write(home, SALES + "=cmd,,S1,E1,M1,P1,x,,,1,5,\n"), now=now)
    assert result.report is not None
    with result.report.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["reason"]) for row in rows] == [("5", "price_zero"), ("6", "moment_missing")]
    assert rows[0]["text"].startswith("A4,2026-10-06")
    assert rows[1]["text"].startswith("'=cmd")  # a spreadsheet would run it
    assert all(row["cure"] for row in rows)
    upload = Upload.objects.get()
    assert upload.expires_at == now + timedelta(days=30)
    assert ImportRun.objects.get().report == upload


def test_the_same_file_again_changes_nothing(home: Path, now: datetime) -> None:
    path = write(home, SALES)
    bring(path, now=now)
    before = footprint()
    again = bring(path, now=now + timedelta(days=1))
    assert footprint() == before
    assert not again.merged.has_changed
    assert (again.merged.sales_unchanged, again.merged.lines_written) == (3, 0)
    assert ImportRun.objects.filter(state="done").count() == 2


@COMMITS
def test_a_corrected_sale_is_written_anew_and_leaves_an_event(home: Path, now: datetime) -> None:
    bring(write(home, SALES), now=now)
    old = Sale.objects.get(sale_no="A1")
    text = SALES.replace(
        "A1,2026-10-01 09:30:00,S1,E1,M1,P2,牛肉面,面,,1,28", "A1,2026-10-01 09:30:00,S1,E1,M1,P2,牛肉面,面,,2,28"
    )
    result = bring(write(home, text), now=now)
    new = Sale.objects.get(sale_no="A1")
    assert (result.merged.sales_corrected, result.merged.sales_unchanged, result.merged.lines_written) == (1, 2, 2)
    assert (new.id, new.total_minor, new.line_count, Tender.objects.get(sale=new).amount_minor) == (
        old.id,
        8100,
        2,
        8100,
    )
    assert new.xid > old.xid
    event = Event.objects.get(kind="sale_corrected")
    assert (event.subject_id, event.data) == (old.id, {"old_total_minor": 5300, "new_total_minor": 8100})


def test_a_sale_that_changes_hands_moves_both_members_days(home: Path, now: datetime) -> None:
    bring(write(home, SALES), now=now)
    bring(write(home, SALES.replace("A1,2026-10-01 09:30:00,S1,E1,M1", "A1,2026-10-01 09:30:00,S1,E1,M7")), now=now)
    days = dict(Member.objects.values_list("code", "last_sale_on"))
    assert days == {"M1": None, "M7": date(2026, 10, 1)}


def test_days_that_a_crash_left_unsettled_are_settled_later(home: Path, now: datetime) -> None:
    bring(write(home, SALES), now=now)
    member = Member.objects.get(code="M1")
    ImportedDay.objects.create(member_id=member.id, first_on=date(2026, 9, 1), last_on=date(2026, 9, 2))
    settle_days()
    member.refresh_from_db()
    assert (member.first_sale_on, member.last_sale_on) == (date(2026, 9, 1), date(2026, 10, 1))
    assert not ImportedDay.objects.exists()


def test_members_arrive_with_cards_tags_consents_and_attributes(home: Path, now: datetime) -> None:
    result = bring(
        write(home, MEMBERS), now=now, attributes={"taste": "口味"}, profile="generic_members", source="old-till"
    )
    assert (result.merged.members_new, result.merged.members_changed) == (2, 0)
    first, second = Member.objects.order_by("code")
    assert (first.name, first.name_initials, first.phone, first.gender) == ("王小明", "wxm", "+8613800138000", "male")
    assert (first.next_birthday_on, first.joined_on) == (date(2027, 2, 14), date(2025, 3, 1))
    assert (first.attributes, first.source_channel) == ({"taste": "辣"}, "import")
    assert (second.name_initials, second.phone, second.birth_month) == ("sxx", "", None)
    assert list(Card.objects.order_by("number").values_list("number", "member__code")) == [("K1", "M1"), ("K2", "M2")]
    assert sorted(first.tag_rows.values_list("tag__name", flat=True)) == ["常客", "爱茶"]
    assert list(Consent.objects.values_list("member__code", "channel", "is_granted", "given_through")) == [
        ("M1", "sms", True, "import")
    ]
    assert AttributeDefinition.objects.get().key == "taste"
    left_out = {str(reason): count for reason, count in result.cleaning.left_out.items()}
    assert left_out == {"phone_unreadable": 1, "date_unreadable": 1}


def test_what_somebody_entered_stays_unless_the_rule_is_off(home: Path, now: datetime) -> None:
    bring(write(home, MEMBERS), now=now)
    Member.objects.filter(code="M1").update(name="王晓明", address="", version=5)
    path = write(home, MEMBERS.replace("口味", "地址").replace("辣", "西湖区1号"))
    gentle = bring(path, now=now)
    member = Member.objects.get(code="M1")
    assert (member.name, member.address, member.version) == ("王晓明", "西湖区1号", 6)
    assert (gentle.merged.members_changed, gentle.merged.members_unchanged) == (1, 1)
    bring(path, now=now, rules={CleaningRule.FILL_EMPTY_ONLY: False})
    member.refresh_from_db()
    assert (member.name, member.name_initials) == ("王小明", "wxm")


def test_a_withdrawn_consent_is_not_given_back_by_a_file(home: Path, now: datetime) -> None:
    bring(write(home, MEMBERS), now=now)
    Consent.objects.create(
        member=Member.objects.get(code="M1"), channel="sms", purpose="marketing", is_granted=False, at=now,
        given_through="store",
    )  # fmt: skip
    bring(write(home, MEMBERS), now=now)
    assert list(Consent.objects.order_by("id").values_list("is_granted", flat=True)) == [True, False]


def test_a_known_phone_leads_to_its_member_whatever_the_code(home: Path, now: datetime) -> None:
    bring(write(home, MEMBERS), now=now, source="old-till")
    text = "单号,日期,手机,金额\nX1,2026-09-01,13800138000,9.90\nX2,2026-09-02,13900139000,5\n"
    bring(write(home, text), now=now, source="web-shop")
    assert Sale.objects.get(sale_no="X1").member == Member.objects.get(code="M1")
    assert Sale.objects.get(sale_no="X2").member == Member.objects.get(code="+8613900139000")
    assert MemberCode.objects.filter(source__code="web-shop").count() == 2


def test_the_same_code_in_two_sources_is_two_people(home: Path, now: datetime) -> None:
    bring(write(home, SALES), now=now, source="north")
    bring(write(home, SALES), now=now, source="south")
    assert sorted(Member.objects.values_list("code", flat=True)) == ["M1", "south-M1"]
    assert Sale.objects.filter(sale_no="A1").count() == 2


def test_a_rehearsal_counts_the_same_and_writes_nothing(home: Path, now: datetime) -> None:
    path = write(home, SALES)
    before = footprint()
    rehearsed = bring(path, now=now, mode=ImportMode.REHEARSAL)
    assert footprint() == before
    real = bring(path, now=now)
    assert rehearsed.merged == real.merged
    assert rehearsed.cleaning == real.cleaning
    rehearsed_again = bring(write(home, SALES.replace("28", "29")), now=now, mode=ImportMode.REHEARSAL)
    assert (rehearsed_again.merged.sales_corrected, rehearsed_again.merged.sales_unchanged) == (1, 2)


@COMMITS
def test_a_first_load_leaves_every_key_and_index_in_place(
    home: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def definitions() -> set[tuple[str, str]]:
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
                   WHERE connamespace = 'public'::regnamespace
                   UNION SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"""
            )
            return set(cursor.fetchall())

    before = definitions()
    monkeypatch.setattr(bulk_merge, "FIRST_LOAD_LINES", 1)
    bring(write(home, SALES), now=now)
    assert definitions() == before
    assert Sale.objects.count() == 3
    bring(write(home, SALES.replace("A1,", "B1,")), now=now)  # sales are there now: in place
    assert (Sale.objects.count(), definitions()) == (4, before)


@COMMITS
def test_nobody_else_writes_what_the_first_load_will_execute(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname, prosecdef FROM pg_proc WHERE proname LIKE 'changke_%_first_load' ORDER BY 1")
        assert cursor.fetchall() == [("changke_begin_first_load", True), ("changke_end_first_load", True)]
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'bulk_rebuilds'::regclass AND NOT tgisinternal")
        assert {name for (name,) in cursor.fetchall()} == {"bulk_rebuilds_done", "bulk_rebuilds_guard"}


def test_two_imports_at_once_the_second_is_told(home: Path, now: datetime) -> None:
    path = write(home, SALES)
    with import_lock(), pytest.raises(ChangkeError, match="Another import is running"):
        bring(path, now=now)
    assert Sale.objects.count() == 0
    assert ImportRun.objects.get().state == ImportState.FAILED
    assert bring(path, now=now).merged.sales_new == 3


def test_an_import_that_breaks_in_the_merge_leaves_nothing_and_runs_again(
    home: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(home, SALES)
    before = footprint()
    with monkeypatch.context() as patch:
        patch.setattr(bulk_merge, "write_sales", lambda *_args, **_named: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bring(path, now=now)
    assert footprint() == before
    run = ImportRun.objects.get()
    assert (run.state, run.problems[0]["code"]) == ("failed", "import_broken")
    assert list((home / "uploads" / "imports").iterdir()) == []
    assert bring(path, now=now).merged.sales_new == 3


@COMMITS
def test_a_killed_run_is_buried_by_the_next(home: Path, now: datetime) -> None:
    killed = ask_for_import(SYSTEM, plan=ImportPlan(paths=(str(write(home, SALES)),)), now=now)
    ImportRun.objects.filter(public_id=killed).update(state="running")
    (home / "uploads" / "imports" / killed).mkdir(parents=True)
    bring(write(home, SALES), now=now)
    run = ImportRun.objects.get(public_id=killed)
    assert (run.state, run.problems[0]["code"]) == ("failed", "interrupted")
    assert list((home / "uploads" / "imports").iterdir()) == []


def test_a_queued_import_is_carried_out_once(home: Path, now: datetime) -> None:
    public_id = ask_for_import(SYSTEM, plan=ImportPlan(paths=(str(write(home, SALES)),)), now=now)
    run = ImportRun.objects.get(public_id=public_id)
    assert run.state == "waiting"
    run_import(run.id, now=now)
    run.refresh_from_db()
    assert (run.state, run.merged["sales_new"], run.counts["rows_in"]) == ("done", 3, {"sales": 5})
    assert run.tables[0]["columns"]["sale_no"] == "单号"
    before = footprint()
    run_import(run.id, now=now)
    assert footprint() == before


@COMMITS
def test_progress_is_seen_from_outside_and_a_stop_is_obeyed(home: Path, now: datetime) -> None:
    seen: list[tuple[str, str]] = []

    def sink(progress: Progress) -> None:
        run = ImportRun.objects.get()
        seen.append((progress.stage, run.state))
        if progress.stage is Stage.COMPARE:
            elsewhere(lambda: cancel_import(SYSTEM, public_id=run.public_id, now=now))

    plan = ImportPlan(paths=(str(write(home, SALES)),))
    before = footprint()
    with pytest.raises(ChangkeError, match="was stopped"):
        import_files(SYSTEM, plan=plan, now=now, sink=sink)
    assert {state for _, state in seen} == {"running"}
    assert seen[-1][0] == Stage.COMPARE
    after = footprint()
    assert after["Sale"] == before["Sale"]
    assert ImportRun.objects.get().state == "cancelled"
    with pytest.raises(ChangkeError, match="not waiting and not running"):
        cancel_import(SYSTEM, public_id=ImportRun.objects.get().public_id, now=now)


def test_a_waiting_import_is_cancelled_at_once(home: Path, now: datetime) -> None:
    public_id = ask_for_import(SYSTEM, plan=ImportPlan(paths=(str(write(home, SALES)),)), now=now)
    cancel_import(SYSTEM, public_id=public_id, now=now)
    run = ImportRun.objects.get()
    run_import(run.id, now=now)
    run.refresh_from_db()
    assert (run.state, Sale.objects.count()) == ("cancelled", 0)


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"profile": "nonsense"}, "profile_unknown"),
        ({"columns": {"sale_no": "nowhere"}}, "column_missing"),
        ({"profile": "online_retail"}, "currency_differs"),
        ({"profile": "cdnow"}, "currency_differs"),
    ],
)
def test_a_plan_that_cannot_work_is_refused_with_a_code(
    home: Path, now: datetime, wishes: dict[str, object], code: str
) -> None:
    with pytest.raises(ChangkeError) as caught:
        bring(write(home, SALES), now=now, **wishes)
    assert caught.value.problems[0].code == code
    assert ImportRun.objects.get().problems[0]["code"] == code


def test_columns_that_are_not_understood_are_named(home: Path, now: datetime) -> None:
    with pytest.raises(ChangkeError, match="sold_at"):
        bring(write(home, "x,y\n1,2\n"), now=now)


def test_an_import_leaves_one_event_and_one_audit_row(home: Path, now: datetime) -> None:
    bring(write(home, SALES), now=now)
    event, entry = Event.objects.get(), AuditEntry.objects.get(action="import_history")
    assert (event.kind, event.subject_id, event.data["sales_new"]) == (
        "history_imported",
        ImportRun.objects.get().id,
        3,
    )
    assert entry.after == event.data


def test_staged_tables_of_a_program_take_the_same_path(home: Path, now: datetime) -> None:
    counts = load_history(staged_shop(now=now), source="program", now=now, actor=SYSTEM)
    assert (counts.sales_new, counts.lines_written, counts.members_new, counts.stores_new) == (2, 2, 1, 1)
    returned = Sale.objects.get(sale_no="R1")
    assert (returned.original_sale, returned.lines.get().original_line_no) == (Sale.objects.get(sale_no="T1"), 1)
    before = footprint()
    again = load_history(staged_shop(now=now), source="program", now=now, actor=SYSTEM)
    assert (again.has_changed, footprint() == before) == (False, True)


def staged_shop(*, now: datetime) -> StagedTables:
    """A sale and its return, as a program would stage them."""

    def table(schema: pa.Schema, *rows: dict[str, object]) -> pa.Table:
        return pa.Table.from_pylist([dict.fromkeys(schema.names) | row for row in rows], schema=schema)

    sale = {
        "sale_no": "T1", "kind": "sale", "sold_at": now, "day": now.date(), "store_code": "S1", "member_code": "M1",
        "total_minor": 1000, "quantity_milli": 1000, "line_count": 1, "content_hash": 1,
    }  # fmt: skip
    line = {"line_no": 1, "product_code": "P1", "unit_price": Decimal(10)}
    back = {"sale_no": "R1", "kind": "return", "total_minor": -1000, "quantity_milli": -1000, "original_sale_no": "T1"}
    return StagedTables(
        stores=table(staging.STORES, {"store_code": "S1", "name": "One"}),
        products=table(staging.PRODUCTS, {"product_code": "P1", "category_path": ["Tea", "Green"], "brand": "B"}),
        members=table(staging.MEMBERS, {"member_code": "M1", "name": "Anna Lee", "tags": [], "attributes": {}}),
        sales=table(staging.SALES, sale, sale | back),
        lines=table(
            staging.LINES,
            line | {"sale_no": "T1", "quantity_milli": 1000, "total_minor": 1000},
            line | {"sale_no": "R1", "quantity_milli": -1000, "total_minor": -1000, "original_line_no": 1},
        ),
        tenders=table(staging.TENDERS, {"sale_no": "T1", "tender_no": 1, "kind": "cash", "amount_minor": 1000}),
    )
