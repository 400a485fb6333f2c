"""Public ids and running numbers for many rows at once."""

import secrets
from typing import Final

import numpy as np
import pyarrow as pa
from django.db import connection

from changke.kernel.ids import ALPHABET

LENGTH: Final = 20


def new_public_ids(count: int) -> pa.Array:
    """Return as many ids as kernel.ids.new_public_id would make one by one: 100 random bits each."""
    letters = np.frombuffer(ALPHABET.encode(), dtype="S1")
    drawn = np.frombuffer(secrets.token_bytes(LENGTH * count), dtype=np.uint8) & (len(ALPHABET) - 1)
    return pa.array(letters[drawn].view(f"S{LENGTH}").tolist(), pa.binary()).cast(pa.string())


def with_public_ids(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows with a public id each as last column."""
    return batch.append_column("public_id", new_public_ids(batch.num_rows))


def take_numbers(table: str, *, count: int) -> pa.Table:
    """Take the next numbers of a table's identity and return them with their places 1, 2, ... (`place`, `id`)."""
    with connection.cursor() as cursor:
        cursor.execute(
            # The name is looked up once, in a subquery: called for each row it costs more than the number.
            "SELECT array_agg(nextval((SELECT pg_get_serial_sequence(%s, 'id'))::regclass))"
            " FROM generate_series(1, %s)",
            [table, count],
        )
        [ids] = cursor.fetchone()
    return pa.table({"place": pa.arange(1, count + 1), "id": pa.array(ids or [], pa.int64())})
