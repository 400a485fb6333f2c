"""The home folder is private and its keys are made once."""

import os
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from changke.config.home import FOLDERS, KEY_FILES, home_folder, load_keys, make_private, open_parts, prepare_home
from changke.kernel.errors import ChangkeError


def code_of(caught: pytest.ExceptionInfo[ChangkeError]) -> str:
    return caught.value.problems[0].code


def test_home_is_closed_to_others_whatever_the_umask(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o777)
    before = os.umask(0)
    try:
        prepare_home(home)
    finally:
        os.umask(before)
    assert stat.S_IMODE(home.stat().st_mode) & 0o067 == 0
    assert {stat.S_IMODE((home / name).stat().st_mode) for name in FOLDERS} == {0o700}
    assert {stat.S_IMODE((home / "keys" / name).stat().st_mode) for name in KEY_FILES} == {0o600}
    assert open_parts(home) == []


def test_keys_are_made_once_and_never_shown(tmp_path: Path) -> None:
    first = prepare_home(tmp_path / "home")
    assert prepare_home(tmp_path / "home") == first == load_keys(tmp_path / "home")
    assert len(first.master_key) == len(first.index_key) == 32
    assert len({first.django_secret, first.master_key.hex(), first.index_key.hex()}) == 3
    assert repr(first) == "Keys()"


def test_many_starts_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(prepare_home, [tmp_path / "home"] * 16))
    assert all(key == keys[0] for key in keys)


def test_home_comes_from_the_environment_or_the_user() -> None:
    assert home_folder({"CHANGKE_HOME": "/srv/shop"}) == Path("/srv/shop")
    own = home_folder({"XDG_DATA_HOME": "/data"})
    assert own == (Path("/var/lib/changke") if os.geteuid() == 0 else Path("/data/changke"))


def test_a_lost_key_is_not_replaced_behind_the_data(tmp_path: Path) -> None:
    prepare_home(tmp_path / "home")
    (tmp_path / "home" / "keys" / "master.key").unlink()
    with pytest.raises(ChangkeError) as caught:
        prepare_home(tmp_path / "home")
    assert code_of(caught) == "keys_lost"


def test_all_keys_lost_beside_a_database_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "home" / "postgres" / "data").mkdir(parents=True)
    with pytest.raises(ChangkeError) as caught:
        prepare_home(tmp_path / "home")
    assert code_of(caught) == "keys_lost"


@pytest.mark.parametrize(
    ("text", "mode", "code"),
    [
        ("changeme", 0o600, "key_placeholder"),
        ("a" * 64, 0o600, "key_placeholder"),
        ("0123456789abcdef" * 4, 0o644, "key_open"),
        (None, 0o600, "key_missing"),
    ],
)
def test_bad_keys_are_refused(tmp_path: Path, text: str | None, mode: int, code: str) -> None:
    prepare_home(tmp_path / "home")
    key = tmp_path / "home" / "keys" / "django.key"
    key.unlink()
    if text is not None:
        key.write_text(text)
        key.chmod(mode)
    with pytest.raises(ChangkeError) as caught:
        load_keys(tmp_path / "home")
    assert code_of(caught) == code


@pytest.mark.parametrize("shared", ["/", tempfile.gettempdir()])
def test_shared_folders_are_refused_and_stay_as_they_are(shared: str) -> None:
    before = Path(shared).stat().st_mode
    with pytest.raises(ChangkeError) as caught:
        prepare_home(Path(shared))
    assert code_of(caught) == "home_shared"
    assert Path(shared).stat().st_mode == before


def test_home_of_another_user_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder of another user")
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", 12345, 12345)
    with pytest.raises(ChangkeError) as caught:
        prepare_home(tmp_path / "home")
    assert code_of(caught) == "home_of_another"


def test_open_parts_names_what_others_can_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    prepare_home(home)
    (home / "uploads").chmod(0o755)
    (home / "keys" / "index.key").chmod(0o640)
    assert open_parts(home) == [home / "uploads", home / "keys" / "index.key"]
    make_private(home / "uploads")
    assert open_parts(home) == [home / "keys" / "index.key"]
