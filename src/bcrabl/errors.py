"""What can go wrong with an input, and how it is said.

    BcrablError
    ├── FileError                 a raw file cannot be used
    │   ├── FormatNotRecognised   no reader knows it, or more than one claims it
    │   │   └── FormatRefused     it is known, but holds no curves that can be read; the text says what to export
    │   └── DamagedFile           it is what it claims to be, but broken, hostile or contradictory
    ├── SheetError                a TSV sheet or the configuration does not fit its schema
    ├── StandardsError            an assay protocol or reference entry under resources/standards cannot be used
    ├── RunError                  a run was read but cannot be processed (duplicate wells, cycles that differ, …)
    │   └── CalibrationError      a standard curve cannot be made of these standards
    └── ResultsError              writing would cost or falsify earlier results

Every error carries all problems of its input at once, each with its place, what was found, what was expected and
what to do. Anything else that escapes the package is a defect of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "BcrablError",
    "CalibrationError",
    "DamagedFile",
    "FileError",
    "FormatNotRecognised",
    "FormatRefused",
    "Problem",
    "ResultsError",
    "RunError",
    "SheetError",
    "StandardsError",
]

_MOST_SHOWN = 20
_LONGEST_VALUE = 120


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one place of an input.

    Parameters
    ----------
    where : the place in words a person can go to ("config/runs.tsv, row 3, column assay").
    found : what stands there.
    expected : what may stand there.
    remedy : what to do about it; empty where `expected` says it all.
    """

    where: str
    found: str
    expected: str
    remedy: str = ""

    def __str__(self) -> str:
        sentence = f"{printable(self.where)}: found {shorten(self.found)}; expected {printable(self.expected)}."
        return f"{sentence} {printable(self.remedy)}" if self.remedy else sentence


class BcrablError(Exception):
    """An input that cannot be used; `problems` lists every reason."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(self._text())

    def _text(self) -> str:
        shown = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        hidden = len(self.problems) - len(shown)
        if hidden > 0:
            shown.append(f"… and {hidden} more problems of this kind.")
        return shown[0] if len(shown) == 1 else "\n".join(f"- {line}" for line in shown)

    def __reduce__(self) -> tuple[type[BcrablError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class FileError(BcrablError):
    """A raw file cannot be used."""


class FormatNotRecognised(FileError):
    """No reader recognises the content, or more than one does."""


class FormatRefused(FormatNotRecognised):
    """The format is known, but holds no curves that can be read."""


class DamagedFile(FileError):
    """The content is broken, hostile or contradicts itself."""


class SheetError(BcrablError):
    """A sheet or the configuration does not fit its schema."""


class StandardsError(BcrablError):
    """An assay protocol or a reference entry cannot be used."""


class RunError(BcrablError):
    """A run was read but cannot be processed."""


class CalibrationError(RunError):
    """A standard curve cannot be made of these standards."""


class ResultsError(BcrablError):
    """Writing would cost or falsify earlier results."""


def shorten(text: str) -> str:
    """The text on one line, cut to a length that keeps an error message readable (hostile files hold anything)."""
    line = printable(text)
    return line if len(line) <= _LONGEST_VALUE else line[:_LONGEST_VALUE] + "…"


def printable(text: str) -> str:
    """The text on one line without control characters, which a terminal would obey."""
    line = " ".join(str(text).split())
    return "".join(character if character.isprintable() else "�" for character in line)
