"""The command line as a user meets it: a shop is begun, refused twice, people are added, errors name the cure."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from changke.cli.main import VERBS, main
from changke.config.database import stop_server

PASSWORD = "a-good-pass-77"


def changke(home: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "CHANGKE_HOME": str(home), "CHANGKE_ENV": "production"}
    env.pop("DJANGO_SETTINGS_MODULE", None)
    line = [sys.executable, "-m", "changke", *words]
    return subprocess.run(line, env=env, input=typed, capture_output=True, text=True, timeout=120, check=False)


def test_every_verb_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(verb.name in said for verb in VERBS)


def test_an_unknown_verb_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sell"])
    assert ended.value.code == 2
    assert "sell" in capsys.readouterr().err


def test_a_shop_begins_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    try:
        line = ("init", "--name", "小店", "--admin", "boss", "--password-stdin", "--json")
        weak = changke(home, *line, typed="short\n")
        assert (weak.returncode, json.loads(weak.stdout)["problems"][0]["code"]) == (1, "password_weak")
        begun = changke(home, *line, typed=f"{PASSWORD}\n")
        assert (begun.returncode, json.loads(begun.stdout)["administrator"]) == (0, "boss"), begun.stderr
        again = changke(home, *line, typed=f"{PASSWORD}\n")
        assert (again.returncode, json.loads(again.stdout)["problems"][0]["code"]) == (1, "company_exists")
        people = changke(home, "user", "list", "--json")
        assert json.loads(people.stdout) == [{"username": "boss", "role": "head_office", "active": True}]
        early = changke(home, "analyse", "--json")
        assert json.loads(early.stdout)["sales"] == 0
        shipped = json.loads(changke(home, "segment", "list", "--json").stdout)
        assert {"高价值会员", "即将流失"} <= {row["name"] for row in shipped}
        kind = changke(home, "export", "--segment", "高价值会员", "--out", str(tmp_path / "list.doc"))
        assert kind.returncode == 1
        assert "list.doc" in kind.stderr
        out = tmp_path / "list.csv"
        assert changke(home, "export", "--segment", "高价值会员", "--out", str(out)).returncode == 0
        assert len(out.read_text(encoding="utf-8-sig").splitlines()) == 1
    finally:
        stop_server(home)
