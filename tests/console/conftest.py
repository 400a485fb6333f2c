"""The people of the console's tests."""

from people import chain, sign_in

__all__ = ["chain", "sign_in"]
