"""xlsx workbooks from outside: sheets as rows of cells.

python-calamine reads the cells. It trusts what it reads: a cell that claims to stand in the last row of a sheet makes
it fill all rows before. So each sheet is unpacked and measured here, and calamine gets a small clean workbook that
holds this one sheet and nothing else.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.grid import Sheet
from bcrabl.formats.xmltree import LARGEST_XML, parse, refuse_declarations

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from bcrabl.formats.archive import Archive
    from bcrabl.formats.grid import Cell

__all__ = ["Workbook"]

MOST_CELLS = 20_000_000  # rows × columns of one sheet; a 384-well plate of 6 targets and 50 cycles has one million
_COLUMN = re.compile(rb"""\sr\s*=\s*["']\s*([A-Za-z]+)""")
_LONG_ROW = rb"""\sr\s*=\s*["']\s*[A-Za-z]*[0-9]{%d}"""
_COUNT = re.compile(rb"""ount\s*=\s*["']\s*([0-9]+)""")
_SHARED = ("xl/sharedStrings.xml", "xl/styles.xml")
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


class Workbook:
    """An xlsx workbook in memory.

    Parameters
    ----------
    path : the file as the caller named it.
    archive : its zip archive.

    Raises
    ------
    DamagedFile : the list of sheets cannot be read.
    """

    def __init__(self, path: str, archive: Archive) -> None:
        self._path = path
        self._archive = archive
        self._members = _members_by_sheet(path, archive)
        self._sheets: dict[str, Sheet] = {}
        self.sheet_names = tuple(self._members)

    def sheet(self, name: str) -> Sheet | None:
        """A sheet by its name, or None.

        Raises
        ------
        DamagedFile : the sheet is hostile or broken.
        """
        if name not in self._members:
            return None
        if name not in self._sheets:
            where = f"{self._path}, sheet {name!r}"
            self._sheets[name] = Sheet(where, _rows(self._small_workbook(name, where), where))
        return self._sheets[name]

    def _small_workbook(self, name: str, where: str) -> bytes:
        """A workbook with this sheet only."""
        content = self._archive.read(self._members[name], LARGEST_XML)
        _refuse_hostile(content, where)
        _refuse_vast_sheet(content, where)
        members = dict(_SKELETON)
        members["xl/worksheets/sheet1.xml"] = content
        for shared in _SHARED:
            # Bio-Rad CFX spells it xl\sharedstrings.xml
            if (spelled := self._archive.named(shared)) is not None:
                shared_content = self._archive.head(spelled, LARGEST_XML)
                _refuse_hostile(shared_content, where)
                members[shared] = shared_content
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as target:
            for member, text_or_bytes in members.items():
                target.writestr(member, text_or_bytes)
        return packed.getvalue()


_SKELETON: dict[str, str | bytes] = {
    "[Content_Types].xml": (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<?xml version="1.0"?><Relationships xmlns="{_PACKAGE}">'
        f'<Relationship Id="r" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<?xml version="1.0"?><workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="sheet" sheetId="1" r:id="r1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<?xml version="1.0"?><Relationships xmlns="{_PACKAGE}">'
        f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        f'<Relationship Id="r3" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    ),
}


def _members_by_sheet(path: str, archive: Archive) -> dict[str, str]:
    """The member of the archive behind each sheet, in the order of the sheets."""
    book = parse(archive.read("xl/workbook.xml", LARGEST_XML), f"{path}, member xl/workbook.xml")
    relations = "xl/_rels/workbook.xml.rels"
    targets: dict[str, str] = {}
    if relations in archive.names:
        for relation in parse(archive.read(relations, LARGEST_XML), f"{path}, member {relations}"):
            # Targets are relative to xl/, or absolute within the archive
            target = posixpath.normpath(posixpath.join("/xl", relation.get("Target", "").replace("\\", "/")))
            targets[relation.get("Id", "")] = target.lstrip("/")
    members = {sheet.get("name", ""): targets.get(_relation_id(sheet), "") for sheet in book.iterfind("sheets/sheet")}
    spelled = {name: archive.named(member) for name, member in members.items()}
    return {name: member for name, member in spelled.items() if member is not None}


def _relation_id(sheet: Element) -> str:
    """The value of `r:id`, whose namespace differs between the two kinds of xlsx."""
    return next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")


def _refuse_hostile(content: bytes, where: str) -> None:
    """Refuse declarations, and a `count` or `uniqueCount` beyond reason: the reader reserves memory for as many."""
    refuse_declarations(content, where)
    most = max(map(int, (digits[:18] for digits in _COUNT.findall(content))), default=0)
    if most > MOST_CELLS:
        raise DamagedFile(Problem(where, f"a count of {most} items", f"at most {MOST_CELLS}", "Export the file again."))


def _refuse_vast_sheet(content: bytes, where: str) -> None:
    """Refuse a sheet whose cells span more than any export fills."""
    columns = max((_column_number(letters) for letters in set(_COLUMN.findall(content))), default=1)
    # Rows are bounded by the digits of the longest row number: as good for the purpose, and far quicker to find
    digits = next((n for n in (7, 6) if re.search(_LONG_ROW % n, content)), 5)
    if digits > 6 or columns * 10**digits > MOST_CELLS:
        found = f"cells as far as column {columns} and a row number of {digits} digits"
        raise DamagedFile(Problem(where, found, f"a sheet of at most {MOST_CELLS} cells", "Export the file again."))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:8]:
        number = number * 26 + letter - ord("A") + 1
    return number


def _rows(content: bytes, where: str) -> list[list[Cell]]:
    """All rows of the only sheet of a workbook, from the first row and column on."""
    from python_calamine import CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows: list[list[Cell]] = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except BaseException as error:
        # Rust panics arrive as a PanicException, which is no Exception and cannot be imported
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        found = f"a sheet that cannot be read ({error})"
        raise DamagedFile(Problem(where, found, "a whole sheet", "Export or copy the file again.")) from error
    return rows
