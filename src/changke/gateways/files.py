"""Files below <home>/uploads: written whole and private, pictures drawn anew so that nothing hidden comes along."""

import hashlib
import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from PIL import Image, ImageOps, UnidentifiedImageError

from changke.kernel.errors import fail
from changke.kernel.ids import new_public_id

PICTURE_BYTES_MAX: Final = 10 * 1024 * 1024
PICTURE_PIXELS_MAX: Final = 40_000_000
PICTURE_SIDE_MAX: Final = 2400
PICTURE_KINDS: Final = ("JPEG", "PNG", "WEBP")


class Readable(Protocol):
    """What bytes can be read from: an open file, an upload."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that lies whole on the disk; `path` is relative to the folder of uploads."""

    path: str
    size_bytes: int
    sha256: str


def store_file(folder: Path, *, chunks: Iterable[bytes], suffix: str) -> StoredFile:
    """Write a file under a random name, mode 0600, flushed to the disk; nothing remains where it fails."""
    name = new_public_id() + suffix
    return store_file_at(folder, path=f"{name[:2]}/{name}", chunks=chunks)


def store_file_at(folder: Path, *, path: str, chunks: Iterable[bytes]) -> StoredFile:
    """Write a file under a path of the caller's choice, as store_file does; FileExistsError where one lies there."""
    target = folder / path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return StoredFile(path=path, size_bytes=size, sha256=digest.hexdigest())


def open_file(folder: Path, *, path: str) -> BinaryIO:
    """Open a stored file; FileNotFoundError where it is gone or the path leads out of the folder."""
    target = (folder / path).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise FileNotFoundError(path)
    return target.open("rb")


def remove_file(folder: Path, *, path: str) -> None:
    """Remove a stored file; a missing one is no error."""
    (folder / path).unlink(missing_ok=True)


def redraw_picture(raw: Readable) -> bytes:
    """Return a picture drawn anew as WebP: upright, at most 2400 pixels a side, without any metadata.

    Takes JPEG, PNG and WebP up to 10 MB and 40 million pixels; the size is read from the header before a pixel is
    unpacked. Raises ChangkeError.
    """
    data = raw.read(PICTURE_BYTES_MAX + 1)
    if len(data) > PICTURE_BYTES_MAX:
        raise fail("picture_too_big", "The picture is larger than %(megabytes)s MB.", field="file", megabytes=10)
    try:
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):  # our limit is lower
            picture = Image.open(BytesIO(data), formats=PICTURE_KINDS)
        if picture.width * picture.height > PICTURE_PIXELS_MAX:
            raise fail("picture_too_wide", "The picture has more than 40 million pixels.", field="file")
        upright = ImageOps.exif_transpose(picture)
        plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        plain.thumbnail((PICTURE_SIDE_MAX, PICTURE_SIDE_MAX))
        drawn = BytesIO()
        bare = Image.new(plain.mode, plain.size)
        bare.paste(plain)
        bare.save(drawn, format="WEBP", quality=88)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        raise fail(
            "not_a_picture", "This is not a whole JPEG, PNG or WebP picture.", cure="Save it anew.", field="file"
        ) from None
    return drawn.getvalue()
