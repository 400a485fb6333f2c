"""Errors that a user can act on: what is wrong, where, and the cure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with an input.

    `code` is stable and machine-readable; `message` and `cure` are English msgids with %(name)s places for `values`,
    so that a door can say them in the user's language. `row` counts from 1 at the first data row.
    """

    code: str
    message: str
    cure: str = ""
    field: str = ""
    row: int | None = None
    values: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        where = "".join(
            part for part in (f"row {self.row}: " if self.row else "", f"{self.field}: " if self.field else "")
        )
        text = f"{self.message} {self.cure}".strip()
        return where + (text % dict(self.values) if self.values else text)


class ChangkeError(Exception):
    """Raised for input or surroundings that the user must mend; everything else stays as it was."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


def fail(
    code: str, message: str, /, *, cure: str = "", field: str = "", row: int | None = None, **values: object
) -> ChangkeError:
    """Build the error for one problem: `raise fail("store_unknown", "There is no store %(code)s.", code=code)`."""
    spelled = tuple((key, str(value)) for key, value in values.items())
    return ChangkeError(Problem(code=code, message=message, cure=cure, field=field, row=row, values=spelled))
