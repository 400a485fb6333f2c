"""Pictures are drawn anew and kept privately; what is no picture, too big or a bomb is refused."""

import struct
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from changke.actions.stores import open_store, show_store
from changke.actions.uploads import keep_file, keep_picture
from changke.gateways.files import PICTURE_BYTES_MAX, open_file, redraw_picture
from changke.kernel.errors import ChangkeError
from changke.queries.uploads import find_upload
from changke.records.models import AuditEntry, Upload
from changke.rules.staff import SYSTEM, NotAllowedError, Role, Viewer
from changke.rules.stores import StoreCard, StorePicture
from changke.rules.uploads import UploadKind


def picture(size: tuple[int, int] = (60, 40), *, form: str = "JPEG", **more: object) -> BytesIO:
    raw = BytesIO()
    Image.new("RGB", size, "teal").save(raw, form, **more)
    raw.seek(0)
    return raw


def bomb(width: int, height: int) -> BytesIO:
    """A PNG of a hundred bytes whose header promises a wall of pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return BytesIO(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 16) + b"IDAT" + bytes(16))


def viewer(role: Role, *, stores: frozenset[int] | None = None, user_id: int | None = None) -> Viewer:
    return Viewer(user_id=user_id, staff_id=None, name=role.value, role=role, store_ids=stores)


def test_a_picture_loses_its_metadata_and_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera of 138 0013 8000"
    drawn = Image.open(BytesIO(redraw_picture(picture(exif=exif))))
    assert (drawn.format, drawn.size) == ("WEBP", (40, 60))
    assert not drawn.getexif() and b"138" not in redraw_picture(picture(exif=exif))


def test_a_large_picture_is_made_smaller_and_transparency_stays() -> None:
    assert Image.open(BytesIO(redraw_picture(picture((4800, 1200))))).size == (2400, 600)
    raw = BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(raw, "PNG")
    raw.seek(0)
    assert Image.open(BytesIO(redraw_picture(raw))).mode == "RGBA"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (BytesIO(b""), "not_a_picture"),
        (BytesIO(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), "not_a_picture"),
        (BytesIO(picture().getvalue()[:200]), "not_a_picture"),
        (picture(form="GIF"), "not_a_picture"),
        (BytesIO(b"\xff\xd8" + b"0" * PICTURE_BYTES_MAX), "picture_too_big"),
        (bomb(8000, 8000), "picture_too_wide"),
        (bomb(12_000, 12_000), "picture_too_wide"),
        (bomb(60_000, 60_000), "not_a_picture"),
    ],
)
def test_what_is_no_fit_picture_is_refused(raw: BytesIO, code: str) -> None:
    with pytest.raises(ChangkeError) as caught:
        redraw_picture(raw)
    assert caught.value.problems[0].code == code


@pytest.mark.django_db
def test_a_picture_is_private_on_the_disk_and_its_keeper_is_known(home: Path, now: datetime) -> None:
    row = Upload.objects.get(id=keep_picture(SYSTEM, name="front door.jpeg", raw=picture(), now=now))
    path = home / "uploads" / row.path
    assert (row.name, row.content_type) == ("front door.webp", "image/webp")
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_size == row.size_bytes and "front" not in row.path
    assert AuditEntry.objects.get().action == "keep_file"


@pytest.mark.django_db
def test_without_the_right_nothing_is_kept(home: Path, now: datetime) -> None:
    with pytest.raises(NotAllowedError):
        keep_picture(viewer(Role.CASHIER), name="x.png", raw=picture(), now=now)
    with pytest.raises(ChangkeError):
        keep_picture(SYSTEM, name="x.png", raw=BytesIO(b"no"), now=now)
    assert not Upload.objects.exists() and not [path for path in (home / "uploads").rglob("*") if path.is_file()]


@pytest.mark.django_db
def test_a_file_whose_row_fails_does_not_remain(home: Path, now: datetime) -> None:
    with pytest.raises(ValueError, match="chunk"):
        keep_file(
            SYSTEM, kind=UploadKind.IMPORT, name="a.csv", chunks=broken_chunks(), content_type="text/csv", now=now
        )
    with pytest.raises(RuntimeError, match="violates"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("changke.actions.uploads.record_audit", fail_audit)
        keep_file(SYSTEM, kind=UploadKind.IMPORT, name="a.csv", chunks=(b"a",), content_type="text/csv", now=now)
    assert not [path for path in (home / "uploads").rglob("*") if path.is_file()]


def broken_chunks() -> Iterator[bytes]:
    yield b"first"
    raise ValueError("second chunk is lost")


def fail_audit(*_words: object, **_more: object) -> None:
    raise RuntimeError("violates")


@pytest.mark.django_db
def test_a_picture_is_seen_where_its_store_is(home: Path, now: datetime) -> None:
    here, there = (open_store(SYSTEM, card=StoreCard(code=code, name=code), now=now) for code in ("A", "B"))
    upload_id = keep_picture(SYSTEM, name="plan.png", raw=picture(), now=now)
    public_id = Upload.objects.get().public_id
    manager = viewer(Role.STORE_MANAGER, stores=frozenset({here}))
    assert find_upload(manager, public_id=public_id, now=now) is None
    show_store(SYSTEM, store_id=here, place=StorePicture.FLOOR_PLAN, upload_id=upload_id, now=now)
    found = find_upload(manager, public_id=public_id, now=now)
    assert found is not None
    with open_file(home / "uploads", path=found.path) as file:
        assert file.read(4) == b"RIFF"
    assert find_upload(viewer(Role.STORE_MANAGER, stores=frozenset({there})), public_id=public_id, now=now) is None
    assert find_upload(viewer(Role.CASHIER, stores=frozenset({here})), public_id=public_id, now=now) is None


@pytest.mark.django_db
def test_an_export_opens_for_who_ordered_it_until_it_expires(home: Path, now: datetime) -> None:
    keep_file(
        SYSTEM,
        kind=UploadKind.EXPORT,
        name="list.csv",
        chunks=(b"a",),
        content_type="text/csv",
        now=now,
        expires_at=now + timedelta(days=1),
    )
    row = Upload.objects.get()
    assert find_upload(viewer(Role.HEAD_OFFICE, user_id=5), public_id=row.public_id, now=now) is None


def test_a_path_does_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "secret").write_text("key")
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "uploads", path="../secret")
