"""The main job in a browser: import, report, map, cell, segment, live count, file; plain SQL counts the same."""

import csv
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from django.db import connection
from playwright.sync_api import Page

from changke.actions.imports import run_import
from changke.actions.lake import refresh_lake
from changke.kernel.clock import utc_now
from changke.records.models import AuditEntry, ImportRun
from changke.rules.imports.plan import ImportMode
from changke.rules.staff import Role
from visitors import PageAs, Visitor, holds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MEMBERS: Final = 40
LAST_DAY: Final = date(2026, 11, 20)
HEADER: Final = ("小票号", "销售时间", "门店", "会员号", "商品编码", "商品名称", "数量", "单价")
WRONG: Final = (
    ("X1", "不是日期", "HZ01", "M001", "P1", "龙井", "1", "12"),
    ("X2", "2026-11-20 12:30:00", "HZ01", "M001", "P1", "龙井", "许多", "12"),
    ("X3", "2026-11-20 12:30:00", "HZ01", "M001", "P1", "龙井", "1", "0"),
    ("", "2026-11-20 12:30:00", "HZ01", "M001", "P1", "龙井", "1", "12"),
)


def write_sales(path: Path) -> None:
    """Write a till's export in which no two members share a day, a sum or, across a fifth, a number of receipts."""
    with path.open("w", encoding="gb18030", newline="") as file:
        table = csv.writer(file)
        table.writerow(HEADER)
        for n in range(MEMBERS):
            price = f"{(60 if n % 3 else 12)}.{n:02d}"
            for visit in range(1 + (MEMBERS - 1 - n) // 4):
                day = LAST_DAY - timedelta(days=n + 50 * visit)
                table.writerow((f"S{n}-{visit}", f"{day} 12:30:00", "HZ01", f"M{n:03d}", "P1", "龙井", 1, price))
        table.writerows(WRONG)


def count_best() -> set[str]:
    """Return the codes of the members who are 5-5-5: the best fifth in all three, by plain SQL alone."""
    fifth = "SELECT member_id FROM totals ORDER BY {} DESC LIMIT (SELECT count(*) / 5 FROM totals)"
    best = " INTERSECT ".join(f"({fifth.format(measure)})" for measure in ("last_on", "receipts", "spent"))
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH totals AS (SELECT member_id, max(business_day) AS last_on, count(*) AS receipts,"
            " sum(total_minor) AS spent FROM sales WHERE member_id IS NOT NULL GROUP BY member_id)"
            f" SELECT code FROM members WHERE id IN ({best})"
        )
        return {code for (code,) in cursor.fetchall()}


def bring_and_plan(visitor: Visitor, file: Path) -> None:
    """Bring the file, see how it is read, take a column away and give it back, import."""
    page = visitor.page
    page.goto("/console/imports/new")
    page.locator('input[type="file"]').set_input_files(file)
    page.locator("#bring button[type=submit]").click()
    page.wait_for_url("**/imports/files/*")
    assert page.locator(".ck-preview tbody tr").count() == 50
    assert page.locator("select[name='column:销售时间']").input_value() == "sold_at"
    assert visitor.barriers() == []
    page.locator("select[name='column:单价']").select_option("")
    page.locator(".ck-missing").wait_for()
    page.locator("select[name='column:单价']").select_option("unit_price")
    page.locator(".ck-missing").wait_for(state="detached")
    page.locator('button[value="import"]').click()


def click_cell(page: Page, *, column: int, row: int) -> None:
    """Click a square of the RFM map where it is drawn."""
    box = page.locator("#rfm-map .ck-chart-canvas")
    box.scroll_into_view_if_needed()
    assert holds(page, "box => Boolean(echarts.getInstanceByDom(box))", arg=box.element_handle())
    x, y = box.evaluate(
        "(box, place) => echarts.getInstanceByDom(box).convertToPixel({ seriesIndex: 0 }, place)", [column, row]
    )
    box.click(position={"x": x, "y": y})


def test_from_file_to_list(home: Path, page_as: PageAs, now: datetime) -> None:
    visitor = page_as(Role.HEAD_OFFICE)
    page = visitor.page
    write_sales(home / "收银导出.csv")

    bring_and_plan(visitor, home / "收银导出.csv")
    page.locator("#moving").wait_for()
    run_import(ImportRun.objects.get(mode=ImportMode.MERGE).id, now=utc_now())
    page.locator("#report").wait_for()
    assert page.locator("#report tbody tr").count() == len(WRONG)
    assert "不是日期" in page.locator("#report").inner_text()
    assert visitor.barriers() == []

    refresh_lake(now=now)
    page.goto("/console/insight/rfm?third=5")
    click_cell(page, column=5, row=4)
    page.wait_for_url("**/insight/members*")
    expected = count_best()
    assert 1 < len(expected) < MEMBERS // 5, "a cell that is worth the test"
    assert page.locator("tbody tr").count() == len(expected)

    page.locator("a[href*='/segments/new']").click()
    page.locator(f'#live [data-count="{len(expected)}"]').wait_for()
    boxes = page.locator("#builder .ck-builder-boxes").nth(2)  # M, after R and F
    for score in "1234":
        boxes.get_by_label(score, exact=True).check()
    page.locator(f'#live [data-count="{MEMBERS // 5}"]').wait_for()
    for score in "1234":
        boxes.get_by_label(score, exact=True).uncheck()
    page.locator(f'#live [data-count="{len(expected)}"]').wait_for()
    page.locator('input[name="name"]').fill("最好的顾客")
    page.locator('button[type="submit"].ck-primary').click()
    page.locator("main [data-count]").wait_for()

    with page.expect_download() as waiting:
        page.locator("a[href$='members.csv']").click()
    with Path(waiting.value.path()).open(encoding="utf-8-sig", newline="") as file:
        assert {row[0] for row in list(csv.reader(file))[1:]} == expected
    assert AuditEntry.objects.get(action="export_segment").after["members"] == len(expected)
