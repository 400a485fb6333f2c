"""A seeded base of members for the benches: names of uneven frequency, phones, cards, stores and sales."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import django
from django.db import connection

from changke.config.database import ensure_server, stop_server
from changke.config.home import prepare_home
from changke.config.migrate import migrate_if_needed
from changke.rules.names import initials_of

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余"
    "于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉梅文建国志红春秀"
    "云飞辉玲海燕鹏丹波鑫宇浩凯琳雪婷倩欣怡佳思雨梓涵子轩一诺若晨晓东小龙"
)
SOURCES = ("store", "store", "store", "wechat", "website", "qr", "import")
STORES = 200
TODAY = date(2026, 11, 22)
COLUMNS = (
    "id, public_id, code, name, name_initials, gender, phone, email, joined_on, first_sale_on, last_sale_on,"
    " home_store_id, source_channel, status, birth_calendar, birth_month, birth_day, next_birthday_on,"
    " birth_in_leap_month, address, preferred_channel, clerk_class, note, attributes, version, created_at, changed_at"
)
MOMENT = "2026-11-22T00:00:00Z"


@contextmanager
def django_with_base(*, members: int, sales_each: int) -> Iterator[None]:
    """Bring Django up on a private server that holds so many members; CHANGKE_BENCH_HOME keeps it for the next run."""
    with TemporaryDirectory(prefix="changke-bench-") as folder:
        home = Path(os.environ.get("CHANGKE_BENCH_HOME", folder))
        os.environ.update(CHANGKE_HOME=str(home), CHANGKE_ROLE="owner", CHANGKE_LOG_LEVEL="ERROR")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changke.config.settings")
        prepare_home(home)
        ensure_server(home)
        try:
            django.setup()
            migrate_if_needed()
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM members")
                if cursor.fetchone()[0] != members:
                    load_base(cursor, members=members, sales_each=sales_each)
            yield
        finally:
            connection.close()
            stop_server(home)


def load_base(cursor: Any, *, members: int, sales_each: int) -> None:
    """Fill an empty database: stores, members by COPY, then cards and sales made by the server itself."""
    cursor.execute("INSERT INTO sources (code, name) VALUES ('bench', 'bench')")
    cursor.execute(
        "INSERT INTO stores"
        " (id, public_id, code, name, name_en, ownership, time_zone, day_ends_at, hours, address, phone)"
        " SELECT g, 's' || g, 'S' || g, 'Store ' || g, '', 'own', 'Asia/Shanghai', '00:00', '{}', '', ''"
        " FROM generate_series(1, %s) g",
        [STORES],
    )
    with cursor.copy(f"COPY members ({COLUMNS}) FROM STDIN") as copy:
        for row in member_rows(Random(7), members=members):
            copy.write_row(row)
    cursor.execute(
        "INSERT INTO cards (number, member_id, status, issued_on, ended_reason)"
        " SELECT '9' || lpad(id::text, 12, '0'), id, 'active', coalesce(joined_on, current_date), '' FROM members"
    )
    cursor.execute(
        "INSERT INTO sales (source_id, sale_no, kind, store_id, member_id, sold_at, business_day, total_minor,"
        " quantity_milli, line_count, content_hash)"
        " SELECT (SELECT id FROM sources LIMIT 1), m.id || '-' || g, 'sale',"
        " CASE WHEN (m.id + g) %% 10 = 0 THEN 1 + (m.id * 7919 + g) %% %s ELSE m.home_store_id END,"
        " m.id, m.last_sale_on - g, m.last_sale_on - g, 5000, 1000, 1, 0"
        " FROM members m, generate_series(0, %s) g WHERE m.last_sale_on IS NOT NULL",
        [STORES, sales_each - 1],
    )
    for table in ("members", "cards", "sales", "stores"):
        cursor.execute(f"VACUUM ANALYZE {table}")


def member_rows(rng: Random, *, members: int) -> Iterator[tuple[object, ...]]:
    """Yield members in the order of COLUMNS; common names are commoner, old stores have more members."""
    names = [surname + one for surname in SURNAMES for one in GIVEN]
    names += [surname + one + two for surname in SURNAMES for one in GIVEN[::3] for two in GIVEN[::4]]
    initials = {name: initials_of(name) for name in names}
    for number in range(1, members + 1):
        name = names[int(len(names) * rng.random() ** 1.5)]
        joined = TODAY - timedelta(days=int(2000 * rng.random()))
        bought = joined + timedelta(days=int((TODAY - joined).days * rng.random())) if rng.random() < 0.85 else None
        birthday = TODAY + timedelta(days=int(365 * rng.random()))
        yield (
            number, f"p{number:019d}", f"M{number:09d}", name, initials[name],
            rng.choice(("female", "male", "unknown")), f"+861{rng.randrange(30, 100)}{rng.randrange(10**8):08d}",
            f"m{number}@example.com" if number % 3 == 0 else "", joined, bought, bought,
            1 + int(STORES * rng.random() ** 2), rng.choice(SOURCES),
            "formal" if rng.random() < 0.95 else rng.choice(("provisional", "frozen", "closed")),
            "solar", birthday.month, birthday.day, birthday, False, "", "", "", "", "{}", 1, MOMENT, MOMENT,
        )  # fmt: skip
