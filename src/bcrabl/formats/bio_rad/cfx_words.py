"""The words of Bio-Rad's CFX software: contents of a well, what stands where there is no number, names of fluors.

CFX writes numbers as the operating system's language does, but its column names and contents stay English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = ["CONTENT_OF_ROLE", "NO_NUMBER", "ROLE_OF_CONTENT", "fluor_named", "fluor_told", "role_of"]

ROLE_OF_CONTENT = {
    "unkn": "unkn",
    "unknown": "unkn",
    "std": "std",
    "standard": "std",
    "ntc": "ntc",
    "no template control": "ntc",
    "nrt": "nrt",
    "no reverse transcriptase": "nrt",
    "pos ctrl": "pos",
    "positive control": "pos",
    "neg ctrl": "neg",
    "negative control": "neg",
}
"""Roles by the content of a well, without the number of the replicate group (`Unkn-01`) behind it."""

CONTENT_OF_ROLE = {
    "unkn": "Unkn",
    "std": "Std",
    "ntc": "NTC",
    "nrt": "NRT",
    "pos": "Pos Ctrl",
    "neg": "Neg Ctrl",
}
"""The content as the software writes it; the other roles have none."""

NO_NUMBER = frozenset(
    {
        *("", "-", "--", "---", "nan", "n/a", "na", "#n/a", "none", "undetermined"),
        # How .NET, in which the software is written, spells "not a number" in the languages of the operating system
        *("n. def.", "non numérique", "neun", "non un numero reale", "nie jest liczbą", "není číslo", "nem szám"),
        *("nan (não é um número)", "nan (niet-een-getal)", "epäluku", "μη αριθμός", "非数字", "nan (非数値)"),
    }
)
"""What stands in a cell that has no number to show, in lower case."""

_DYES = frozenset(
    {
        *("fam", "sybr", "sybr green", "sybr green i", "evagreen", "hex", "vic", "tet", "joe", "max", "yakima yellow"),
        *("cal gold 540", "cal orange 560", "cal red 590", "cal red 610", "tamra", "cy3", "atto 550", "atto 647n"),
        *("rox", "texas red", "tex 615", "tex615", "quasar 570", "quasar 670", "quasar 705", "cy5", "cy5.5", "cy5-5"),
        *("alexa fluor 680", "atto 680", "fret", "ned"),
    }
)
_LONGEST_NAME = 300  # characters; a file name has at most 255
_REPLICATE_GROUP = re.compile(r"\s*-\s*\d+$")
_TABLE_NAME = re.compile(r"Amplification[ _]+Results[ _-]+(.+)", re.IGNORECASE)


def role_of(content: str) -> str | None:
    """The role that a content such as `Unkn`, `Std-1` or `Pos Ctrl` says, or None where it is an unknown word."""
    return ROLE_OF_CONTENT.get(" ".join(_REPLICATE_GROUP.sub("", content).casefold().split()))


def fluor_told(label: str, targets_of: Mapping[str, Iterable[str]]) -> str | None:
    """The fluor of a table, found in its name by what the table of Cq lists; None where the name tells none of them.

    Parameters
    ----------
    label : name of the sheet, or of the file without its ending.
    targets_of : the targets of each fluor listed; people rename files by target.
    """
    if len(label) > _LONGEST_NAME:
        return None
    matching = [fluor for fluor in targets_of if _ends_with(label, fluor)]
    if matching:
        return max(matching, key=len)
    behind = _TABLE_NAME.search(label)
    if behind is None:
        return None
    of_target = [
        fluor
        for fluor, targets in targets_of.items()
        if behind.group(1).casefold() in {target.casefold() for target in targets}
    ]
    return of_target[0] if len(of_target) == 1 else None


def fluor_named(label: str) -> str | None:
    """The fluor that stands at the end of a name by the software's pattern, or is a dye known by name; else None."""
    if len(label) > _LONGEST_NAME:
        return None
    if behind := _TABLE_NAME.search(label):
        return behind.group(1)
    # The longest ending first, so that `Texas Red` is not overlooked for `Red`
    endings = [label, *(label[match.end() :] for match in re.finditer(r"[ _-]", label))]
    return next((ending for ending in endings if ending.casefold() in _DYES), None)


def _ends_with(label: str, fluor: str) -> bool:
    """Whether a fluor stands at the end of a name, in which blanks may have become underscores."""
    spelled = re.escape(fluor.replace("_", " "))
    return re.search(rf"(?:^|[ -]){spelled}$", label.replace("_", " "), re.IGNORECASE) is not None
