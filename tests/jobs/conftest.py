"""The people and the shop of the jobs's tests."""

from people import chain, sign_in
from small_shop import small_shop

__all__ = ["chain", "sign_in", "small_shop"]
