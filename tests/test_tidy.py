"""What import contracts cannot show: sizes, names, the clock, money without floats, writes in their rooms."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "changke"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
BANNED_NAMES = {"utils", "helpers", "common", "managers", "services", "misc"}
DATABASE_ROOMS = {"records", "queries", "actions", "config"}
LONGEST_FILE, LONGEST_FUNCTION = 500, 60
CLOCKS = {"now", "today", "utcnow", "time", "time_ns", "monotonic", "perf_counter"}
# Elapsed time of a request or a child process is no business time: these may ask a monotonic clock.
ELAPSED_TIME = {"monotonic", "perf_counter"}
FLOAT_FREE = ("money", "sales", "ledger", "import", "staging")


def room(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else ""


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def test_the_house_is_seen() -> None:
    assert len(FILES) > 30


def test_no_file_is_too_long() -> None:
    everything = [*FILES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]
    long = {str(f.relative_to(ROOT)): n for f in everything if (n := len(f.read_text().splitlines())) > LONGEST_FILE}
    assert not long


def test_no_function_is_too_long() -> None:
    long = [
        f"{where(path, node)} {node.name}: {length}"
        for path in FILES
        for node in functions(path)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not long


def test_no_drawer_for_everything() -> None:
    assert not [path for path in FILES if path.stem in BANNED_NAMES]


def test_no_room_is_empty() -> None:
    rooms = {path.parent for path in FILES}
    empty = [
        str(folder.relative_to(PACKAGE))
        for folder in rooms
        if not any(path.name != "__init__.py" for path in folder.rglob("*") if path.is_file())
    ]
    assert not empty


def test_only_the_clock_asks_the_time() -> None:
    asks = []
    for path in FILES:
        if path == PACKAGE / "kernel" / "clock.py":
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
                owner = ast.unparse(node.func.value)
                if owner.split(".")[-1] in {"datetime", "date", "timezone", "time"}:
                    if node.func.attr in ELAPSED_TIME and room(path) in {"cli", "config", "lobby"}:
                        continue
                    asks.append(f"{where(path, node)} {owner}.{node.func.attr}()")
    assert not asks


def test_the_database_is_touched_in_its_rooms_only() -> None:
    touches = []
    for path in FILES:
        if room(path) in DATABASE_ROOMS:
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and node.attr in {"objects", "atomic", "cursor"}:
                touches.append(f"{where(path, node)} .{node.attr}")
    # DuckDB has cursors of its own; insight opens no other database (import contract).
    assert not [touch for touch in touches if not ("/insight/" in touch and touch.endswith(".cursor"))]


def test_queries_do_not_write() -> None:
    writes = re.compile(r"\.(save|create|bulk_create|update|delete|bulk_update|get_or_create|update_or_create)\(")
    found = []
    for path in (PACKAGE / "queries").rglob("*.py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if writes.search(line) and ".objects" in line:
                found.append(f"{path.name}:{number}")
    assert not found


def test_imports_stand_at_the_top() -> None:
    inside = []
    for path in FILES:
        if path.name == "apps.py" or room(path) == "cli":
            continue
        for function in functions(path):
            inside += [where(path, n) for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert not inside


def test_money_knows_no_floats() -> None:
    floats = []
    for path in FILES:
        if not any(word in path.stem for word in FLOAT_FREE) or room(path) in {"console", "ui"}:
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                floats.append(f"{where(path, node)} {node.value}")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
                floats.append(f"{where(path, node)} float()")
    assert not floats


@pytest.mark.parametrize("pattern", [r"\b(TODO|FIXME|XXX)\b", r"(?i)coming soon|not implemented yet|敬请期待"])
def test_nothing_is_promised_instead_of_built(pattern: str) -> None:
    sources = [p for p in PACKAGE.rglob("*") if p.suffix in {".py", ".html", ".js", ".css"} and "vendor" not in p.parts]
    assert not [str(p.relative_to(ROOT)) for p in sources if re.search(pattern, p.read_text(encoding="utf-8"))]


def test_every_module_says_what_it_is() -> None:
    assert not [
        str(path.relative_to(ROOT)) for path in FILES if path.stat().st_size and not ast.get_docstring(tree(path))
    ]


def test_pins_name_no_registry() -> None:
    pins = (ROOT / "constraints.txt").read_text()
    assert "://" not in pins
    assert all("==" in line for line in pins.splitlines() if line and not line.startswith("#"))
