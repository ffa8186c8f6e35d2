"""Names of wells: row letter and column number without leading zero, whatever the export calls them.

The through-holes of an OpenArray keep the name that its software and its users give them: `D1c1` is the hole in row c
and column 1 of the subarray D1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["normal_hole", "normal_well", "plate_for", "plate_order", "position_on_plate", "well_at", "well_of_tube"]

_WELL = re.compile(r"([A-Za-z]{1,2})0{0,3}([1-9][0-9]{0,3})")
_HOLE = re.compile(r"([A-Za-z])0{0,3}([1-9][0-9]?)([A-Za-z])0{0,3}([1-9][0-9]?)")


def normal_well(text: str) -> str | None:
    """The well of a spelling such as `A1`, `a01` or `AF48`, or None where it is no name of a well."""
    match = _WELL.fullmatch(text.strip())
    return f"{match.group(1).upper()}{match.group(2)}" if match else None


def normal_hole(text: str) -> str | None:
    """The name of a through-hole of an OpenArray, such as `D1c1`, or None where it is none."""
    match = _HOLE.fullmatch(text.strip())
    return f"{match[1].upper()}{match[2]}{match[3].lower()}{match[4]}" if match else None


def well_at(position: int, columns: int) -> str:
    """The well at a position counted from 1 along the rows of a plate.

    Parameters
    ----------
    position : from 1.
    columns : wells per row.
    """
    row, column = divmod(position - 1, columns)
    return f"{_row_letters(row)}{column + 1}"


def well_of_tube(number: str, most: int) -> str | None:
    """The well of a tube that an instrument numbers and does not name: tube 7 is A7. None where the text is no number.

    Parameters
    ----------
    number : as the export spells it.
    most : tubes that the instrument holds.
    """
    stated = number.strip()
    if not (stated.isascii() and stated.isdigit() and len(stated) <= 4 and 1 <= int(stated) <= most):
        return None
    return f"A{int(stated)}"


def _row_letters(row: int) -> str:
    """A … Z, AA … for rows counted from 0."""
    letters = ""
    remaining = row + 1
    while remaining:
        remaining, letter = divmod(remaining - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def plate_order(well: str) -> tuple[int, str, int, str, int]:
    """Key that sorts wells along the rows of the plate: A1, A2, …, A10, B1, …, AA1; holes within their subarray."""
    if hole := _HOLE.fullmatch(well):
        return 1, hole[1], int(hole[2]), hole[3], int(hole[4])
    letters = well.rstrip("0123456789")
    return len(letters), letters, int(well[len(letters) :] or 0), "", 0


def _row_number(letters: str) -> int:
    """Rows counted from 1: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def position_on_plate(well: str, columns: int) -> int:
    """The position of a well, counted from 1 along the rows of a plate; undoes `well_at`."""
    letters, column = plate_order(well)[1:3]
    return (_row_number(letters) - 1) * columns + column


def plate_for(wells: Iterable[str]) -> tuple[int, int]:
    """Rows and columns of the smallest common plate that has all these wells; else just as many as they need."""
    places = [plate_order(well) for well in wells]
    rows = max((_row_number(letters) for _, letters, *_ in places), default=1)
    columns = max((column for _, _, column, *_ in places), default=1)
    common = ((8, 12), (16, 24), (32, 48))
    return next((plate for plate in common if rows <= plate[0] and columns <= plate[1]), (rows, columns))
