"""Sheets of XlsxWriter whose numbers come back as they were: the library writes 16 digits, a float needs 17."""

from __future__ import annotations

from collections.abc import Iterable

from xlsxwriter.worksheet import Worksheet

__all__ = ["ExactWorksheet"]


class ExactWorksheet(Worksheet):  # type: ignore[misc]
    """A worksheet that writes the shortest digits that give the same number again."""

    def _xml_number_element(self, number: float, attributes: Iterable[tuple[str, object]] = ()) -> None:
        stated = "".join(f' {key}="{value}"' for key, value in attributes)
        self.fh.write(f"<c{stated}><v>{number!r}</v></c>")
