"""The plan of the detection studies: which tables each of them reads and with what settings it is computed.

Made while the Snakefile is parsed, from the plan of the runs. A sheet that is not there holds no study.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcrabl import standards
from bcrabl.errors import Problem, SheetError
from bcrabl.schemas import load_schema
from bcrabl.sheet_reading import read_sheet
from bcrabl.study_sheet import DetectionStudyRow, load_detection_study

if TYPE_CHECKING:
    from bcrabl.plan import Batch, Plan

__all__ = ["Studies", "load_studies"]

_ENDINGS = ("json", "parquet", "svg")


@dataclass(frozen=True)
class Studies:
    """All detection studies.

    Parameters
    ----------
    sheet : file they are named in.
    results : folder of the results.
    rows : of the sheet, by study.
    settings : of `detection_limits` in the configuration, defaults filled in.
    batches : of every run, for the tables it lies in.
    """

    sheet: str
    results: str
    rows: Mapping[str, tuple[DetectionStudyRow, ...]]
    settings: Mapping[str, Any]
    batches: Mapping[str, Batch]

    def files(self) -> list[str]:
        """What the target detection_limits makes.

        Raises
        ------
        SheetError : there is no study; the text says how to add one.
        """
        if not self.rows:
            found = "no study" if Path(self.sheet).is_file() else "no such file"
            expected = "at least one row: study, run_id, target, and sample_id with level (copies/reaction)"
            remedy = "Name the runs and samples of your dilution study there; docs/detection_limits.md says how."
            raise SheetError(Problem(self.sheet, found, expected, remedy))
        return [f"{self.results}/detection_limits/{study}.{ending}" for study in self.rows for ending in _ENDINGS]

    def tables(self, study: str, table: str) -> list[str]:
        """Files of a table that hold the runs of a study, each once."""
        batches = [self.batches[row.run_id] for row in self.rows[study]]
        paths = (f"{self.results}/{table}/site={batch.site}/{batch.batch}.parquet" for batch in batches)
        return list(dict.fromkeys(paths))

    def as_json(self, study: str) -> str:
        """A study as a parameter that Snakemake can compare: its name, assay, rows and settings."""
        rows = self.rows[study]
        run = next(run for run in self.batches[rows[0].run_id].runs if run.run_id == rows[0].run_id)
        about = {"study": study, "sheet": self.sheet, "assay": run.assay}
        return json.dumps(about | {"rows": [asdict(row) for row in rows], "settings": self.settings}, sort_keys=True)


def load_studies(plan: Plan) -> Studies:
    """Read the sheet of the detection studies and hold it against the runs.

    Raises
    ------
    SheetError : with every problem of the sheet.
    """
    configuration: Mapping[str, Any] = plan.configuration
    sheet = configuration["detection_study"]
    rows: dict[str, list[DetectionStudyRow]] = {}
    schemas = standards.schema_folder()
    if Path(sheet).is_file():
        studied = read_sheet(sheet, "detection_study", schemas).lines
        assays = plan.assay_of_runs() if studied else {}  # protocols are read for studies only
        for row in load_detection_study(sheet, schemas, assays):
            rows.setdefault(row.study, []).append(row)
    return Studies(
        sheet=sheet,
        results=configuration["results"],
        rows={study: tuple(own) for study, own in rows.items()},
        settings=_settings(configuration.get("detection_limits", {})),
        batches=plan.runs,
    )


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    properties = load_schema("config", standards.schema_folder())["properties"]["detection_limits"]["properties"]
    return {name: own["default"] for name, own in properties.items() if "default" in own} | dict(given)
