"""`changke import`: what it prints, what it ends with, what it refuses."""

import json
from pathlib import Path

import pytest

from changke.cli import import_
from changke.cli.main import VERBS, build_parser
from changke.kernel.errors import ChangkeError
from changke.records.models import Company, ImportRun, Sale

pytestmark = pytest.mark.django_db
EXCERPT = str(Path(__file__).parents[1] / "data" / "online_retail_excerpt.csv.gz")


def run(*line: str) -> int:
    verb = next(verb for verb in VERBS if verb.name == "import")
    return import_.run(build_parser(verb, import_).parse_args(["import", *line]))


def test_a_known_data_set_makes_its_company_and_is_counted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--profile", "online-retail", EXCERPT, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows_in"]["sales"] == told["rows_kept"]["sales"] + told["rows_refused"]["sales"]
    assert told["merged"]["sales_new"] == Sale.objects.count() > 0
    assert Path(told["report"]).exists()
    company = Company.objects.get()
    assert (company.currency, "CC BY 4.0" in company.data_note) == ("GBP", True)


def test_the_tables_are_shown_and_the_report_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--profile", "online_retail", EXCERPT) == 0
    out = capsys.readouterr().out
    assert "price_zero" in out
    assert "Refused rows: " in out


def test_a_dry_run_writes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--profile", "online-retail", EXCERPT, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["merged"]["sales_new"] > 0
    assert (Sale.objects.count(), ImportRun.objects.get().mode) == (0, "rehearsal")


def test_nothing_imported_is_exit_code_1(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID\n1,P,1,never,5,7\n")
    assert run("--profile", "online-retail", str(path), "--json") == 1


def test_mapping_and_rules_reach_the_import(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.csv"
    path.write_text("no;when;who;what;many;price\n1;2011-01-02;7;P;-1;5\n")
    line = [f"--map={pair}" for pair in ("sale_no=no", "sold_at=when", "member_code=who", "product_code=what",
                                         "quantity=many", "unit_price=price")]  # fmt: skip
    assert run("--profile", "online-retail", *line, str(path), "--json") == 1
    assert (
        run("--profile", "online-retail", *line, "--rule", "negative_quantity_is_return=on", str(path), "--json") == 0
    )
    assert Sale.objects.get().kind == "return"


@pytest.mark.parametrize(
    "line",
    [
        ("--profile", "nonsense", "x.csv"),
        ("--map", "nonsense=x", "x.csv"),
        ("--map", "sale_no", "x.csv"),
        ("--rule", "anonymous_sales=maybe", "x.csv"),
        (),
    ],
)
def test_a_wrong_line_is_exit_code_2(line: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*line)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_without_a_company_an_unknown_source_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ChangkeError, match="There is no company yet"):
        run(str(tmp_path / "x.csv"))


def test_the_help_names_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    out = capsys.readouterr().out
    assert "link_returns" in out
    assert "exit codes" in out
