"""A new password on a user row, checked by the validators of the settings."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from changke.kernel.errors import ChangkeError, Problem
from changke.kernel.ids import new_password
from changke.records.models import User


def set_initial_password(user: User, *, password: str) -> str:
    """Set the given password, or draw one where it is empty; return it. The row is not saved.

    Raises ChangkeError with one problem (field `password`) for each rule that a given password breaks.
    """
    if password:
        try:
            validate_password(password, user=user)
        except ValidationError as error:
            raise ChangkeError(
                *(Problem(code="password_weak", field="password", message=text) for text in error.messages)
            ) from None
    chosen = password or new_password()
    user.set_password(chosen)
    return chosen
