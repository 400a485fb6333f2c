"""Random public ids for URLs and stable fingerprints of content."""

import hashlib
import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing that is mistaken for another sign


def new_public_id() -> str:
    """Return 20 random characters (100 bits): safe to show in a URL, impossible to guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(20))


def new_password() -> str:
    """Return an initial password (80 bits) in groups that can be read out: k3f9-77qp-x2mv-0b8h."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def fingerprint(*parts: bytes) -> str:
    """Return the SHA-256 (hex) of the parts, each framed by its length so that ("ab","c") and ("a","bc") differ."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
