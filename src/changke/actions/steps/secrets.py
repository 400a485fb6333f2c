"""Sensitive attributes: encrypted under a key of the member's own, which the installation's master key wraps.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces. A sealed text is: format 1, nonce, ciphertext with tag; what it
belongs to is authenticated with it, so a row moved to another member does not open. Deleting a member's key row makes
everything sealed under it unreadable, in every backup too.
"""

import hashlib
import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from changke.kernel.errors import fail
from changke.records.models import AttributeDefinition, MemberKey, MemberSecret

FORMAT: Final = b"\x01"
NONCE_BYTES: Final = 12
KEY_BITS: Final = 256


def seal(text: str, *, key: bytes, context: str) -> bytes:
    """Encrypt a text for one place, named by `context`; the same text never looks the same twice."""
    nonce = os.urandom(NONCE_BYTES)
    return FORMAT + nonce + AESGCM(key).encrypt(nonce, text.encode(), context.encode())


def unseal(sealed: bytes, *, key: bytes, context: str) -> str:
    """Decrypt what `seal` made for the same place; ChangkeError where key or place differ or a byte was changed."""
    nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        if sealed[:1] != FORMAT:
            raise InvalidTag
        return AESGCM(key).decrypt(nonce, rest, context.encode()).decode()
    except InvalidTag:
        raise fail(
            "secret_unreadable",
            "An encrypted value cannot be read with the keys of this installation.",
            cure="Restore the keys that belong to this database.",
        ) from None


def write_secrets(member_id: int, *, values: dict[str, str]) -> list[str]:
    """Store sensitive attributes by key, an empty text deletes; return the keys that changed.

    Call with the member row locked. Keys must belong to sensitive attributes.
    """
    if not values:
        return []
    before = read_secrets(member_id)
    changed = [key for key, text in values.items() if before.get(key, "") != text]
    ids = dict(AttributeDefinition.objects.filter(key__in=changed).values_list("key", "id"))
    own = _member_key(member_id) if changed else b""
    for key in changed:
        if not values[key]:
            MemberSecret.objects.filter(member_id=member_id, definition_id=ids[key]).delete()
            continue
        sealed = seal(values[key], key=own, context=_place(member_id, ids[key]))
        MemberSecret.objects.update_or_create(
            member_id=member_id, definition_id=ids[key], defaults={"ciphertext": sealed}
        )
    return changed


def read_secrets(member_id: int) -> dict[str, str]:
    """Return a member's sensitive attributes by key, in clear. Whoever shows them records who looked and why."""
    rows = list(
        MemberSecret.objects.filter(member_id=member_id)
        .order_by("definition__position", "definition__key")
        .values_list("definition_id", "definition__key", "ciphertext")
    )
    own = _member_key(member_id) if rows else b""
    return {key: unseal(bytes(sealed), key=own, context=_place(member_id, id_)) for id_, key, sealed in rows}


def _member_key(member_id: int) -> bytes:
    """Return the member's own key, made on first use."""
    row = MemberKey.objects.filter(member_id=member_id).first()
    wrap = AESGCM(settings.MASTER_KEY)
    if row is None:
        own, nonce = AESGCM.generate_key(KEY_BITS), os.urandom(NONCE_BYTES)
        wrapped = FORMAT + nonce + wrap.encrypt(nonce, own, _holder(member_id))
        MemberKey.objects.create(member_id=member_id, master_key_id=master_key_id(), wrapped_key=wrapped)
        return own
    if row.master_key_id != master_key_id():
        raise fail(
            "master_key_differs",
            "The key of this member was wrapped by another master key (%(key_id)s).",
            cure="Restore the keys that belong to this database.",
            key_id=row.master_key_id,
        )
    wrapped = bytes(row.wrapped_key)
    return wrap.decrypt(wrapped[1 : 1 + NONCE_BYTES], wrapped[1 + NONCE_BYTES :], _holder(member_id))


def master_key_id() -> str:
    """Return the short name of the master key in use; it tells nothing of the key."""
    return hmac.new(settings.MASTER_KEY, b"changke master key id", hashlib.sha256).hexdigest()[:16]


def _holder(member_id: int) -> bytes:
    return f"member:{member_id}".encode()


def _place(member_id: int, definition_id: int) -> str:
    return f"member:{member_id}:attribute:{definition_id}"
