"""The people of the lobby's tests."""

from people import chain, sign_in

__all__ = ["chain", "sign_in"]
