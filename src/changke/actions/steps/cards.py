"""Cards: a number given to a member. One number leads to one member for ever; a member holds one valid card."""

from datetime import date

from django.db import connection

from changke.kernel.checks import raise_problems, refuse_code
from changke.kernel.errors import fail
from changke.records.models import Card
from changke.rules.members import CardStatus, card_number_for


def add_card(member_id: int, *, number: str, store_id: int | None, today: date) -> Card:
    """Give a member a card by its number, or by a new number where none is given. Call with the member row locked."""
    if held := Card.objects.filter(member_id=member_id, status=CardStatus.ACTIVE).first():
        raise fail(
            "card_held",
            "This member holds the valid card %(number)s.",
            cure="Replace it, or report it lost first.",
            field="number",
            number=held.number,
        )
    number = number.strip()
    if number:
        raise_problems(refuse_code(number, field="number"))
    if number and Card.objects.filter(number=number).exists():
        raise fail("card_taken", "The card number %(number)s is in use.", field="number", number=number)
    return Card.objects.create(
        number=number or _new_number(), member_id=member_id, issued_on=today, issued_store_id=store_id
    )


def _new_number() -> str:
    """Return the next running card number that nobody has."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval(pg_get_serial_sequence('cards', 'id'))")
            number = card_number_for(int(cursor.fetchone()[0]))
        if not Card.objects.filter(number=number).exists():
            return number
