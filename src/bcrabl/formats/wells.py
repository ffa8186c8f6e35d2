"""Names of wells: row letter and column number without leading zero, whatever the export calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["normal_well", "plate_for", "plate_order", "position_on_plate", "well_at"]

_WELL = re.compile(r"([A-Za-z]{1,2})0{0,3}([1-9][0-9]{0,3})")


def normal_well(text: str) -> str | None:
    """The well of a spelling such as `A1`, `a01` or `AF48`, or None where it is no name of a well."""
    match = _WELL.fullmatch(text.strip())
    return f"{match.group(1).upper()}{match.group(2)}" if match else None


def well_at(position: int, columns: int) -> str:
    """The well at a position counted from 1 along the rows of a plate.

    Parameters
    ----------
    position : from 1.
    columns : wells per row.
    """
    row, column = divmod(position - 1, columns)
    return f"{_row_letters(row)}{column + 1}"


def _row_letters(row: int) -> str:
    """A … Z, AA … for rows counted from 0."""
    letters = ""
    remaining = row + 1
    while remaining:
        remaining, letter = divmod(remaining - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def plate_order(well: str) -> tuple[int, str, int]:
    """Key that sorts wells along the rows of the plate: A1, A2, …, A10, B1, …, AA1."""
    letters = well.rstrip("0123456789")
    return len(letters), letters, int(well[len(letters) :] or 0)


def _row_number(letters: str) -> int:
    """Rows counted from 1: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def position_on_plate(well: str, columns: int) -> int:
    """The position of a well, counted from 1 along the rows of a plate; undoes `well_at`."""
    _, letters, column = plate_order(well)
    return (_row_number(letters) - 1) * columns + column


def plate_for(wells: Iterable[str]) -> tuple[int, int]:
    """Rows and columns of the smallest common plate that has all these wells; else just as many as they need."""
    places = [plate_order(well) for well in wells]
    rows = max((_row_number(letters) for _, letters, _ in places), default=1)
    columns = max((column for _, _, column in places), default=1)
    common = ((8, 12), (16, 24), (32, 48))
    return next((plate for plate in common if rows <= plate[0] and columns <= plate[1]), (rows, columns))
