"""The plan of a workflow: which runs are processed together, from which files, under which protocol.

Made once from configuration and sheets while the Snakefile is parsed, before anything runs: standard library, YAML and
JSON Schema only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from bcrabl import provenance, sheets, standards
from bcrabl.column_map import load_column_map
from bcrabl.errors import Problem, SheetError, StandardsError
from bcrabl.raw_files import files_of_run
from bcrabl.review_sheet import ReviewEntry, load_exclusions
from bcrabl.sheet_reading import read_sheet

__all__ = ["Batch", "Plan", "load_plan"]


@dataclass(frozen=True)
class Batch:
    """Runs of one site that are processed in one job; by default each run is its own batch."""

    batch: str
    site: str
    runs: tuple[sheets.RunRow, ...]


@dataclass(frozen=True)
class Plan:
    """All batches, and the files each of them needs.

    Parameters
    ----------
    configuration : validated, defaults filled in.
    batches : by batch id.
    factors : conversion factors of all sites.
    exclusions : entries of the review of all runs.
    """

    configuration: Mapping[str, str]
    batches: Mapping[str, Batch]
    factors: tuple[sheets.ConversionFactorRow, ...]
    exclusions: tuple[ReviewEntry, ...] = ()

    @cached_property
    def standards_folder(self) -> Path:
        """Folder of the assay protocols and reference entries: the configured one, else the project's own."""
        chosen = self.configuration.get("standards")
        return Path(chosen) if chosen else standards.standards_folder()

    @cached_property
    def runs(self) -> dict[str, Batch]:
        """The batch of every run."""
        return {run.run_id: batch for batch in self.batches.values() for run in batch.runs}

    def raw_files(self, batch: str) -> list[str]:
        """Raw files of a batch that are there, with column maps and what else belongs to their runs.

        Files, not folders: a folder that is a raw file gives the files in it. A missing one is reported by its run, and
        stops no other.
        """
        return [path for path in self._files(batch) if Path(path).is_file()]

    def _files(self, batch: str) -> list[str]:
        """Every file that belongs to a run of a batch, each once."""
        return list(dict.fromkeys(str(file) for run in self.batches[batch].runs for file in _files_of(run)))

    def assay_of_runs(self) -> dict[str, standards.AssayProtocol]:
        """Protocol of every run."""
        ids = {run.run_id: run.assay for batch in self.batches.values() for run in batch.runs}
        folder = self.standards_folder
        protocols = {
            assay: standards.load_assay(standards.assay_path(assay, folder)) for assay in sorted(set(ids.values()))
        }
        return {run_id: protocols[assay] for run_id, assay in ids.items()}

    def layouts(self, batch: str) -> list[str]:
        """Layout sheets of a batch."""
        return sorted({run.layout for run in self.batches[batch].runs if run.layout})

    def assays(self, batch: str) -> list[str]:
        """Assay protocol files of a batch."""
        ids = sorted({run.assay for run in self.batches[batch].runs})
        return [str(standards.assay_path(assay, self.standards_folder)) for assay in ids]

    def earlier_runs(self, batch: str) -> list[sheets.RunRow]:
        """Runs of other batches that stand before those of the batch in the run sheet and may be pooled with them.

        Of the same site, assay and instrument, twice as many as the protocol looks back at, since some will not have
        been accepted. None where no protocol of the batch pools. A new plate re-scores nothing that stands before it.
        """
        ordered = [(each.batch, run) for each in self.batches.values() for run in each.runs]
        chosen: dict[str, sheets.RunRow] = {}
        for place, (own, run) in enumerate(ordered):
            if own != batch:
                continue
            like = (run.site, run.assay, run.instrument)
            before = [
                other
                for name, other in ordered[:place]
                if name != batch and (other.site, other.assay, other.instrument) == like
            ]
            most = 2 * _pooled_runs_of(str(standards.assay_path(run.assay, self.standards_folder)))
            chosen |= {other.run_id: other for other in before[len(before) - min(most, len(before)) :]}
        return list(chosen.values())

    def detection_studies(self, batch: str) -> list[str]:
        """Files of the detection studies that the batch's protocols name."""
        named = (_detection_study_of(path) for path in self.assays(batch))
        return sorted({file for file in named if file is not None})

    def response_rules(self) -> str:
        """The file of the molecular response classes."""
        return str(self.standards_folder / "molecular_response.yaml")

    def runs_as_json(self, batch: str) -> str:
        """The run sheet's rows of a batch, as a parameter that Snakemake can compare."""
        return json.dumps([asdict(run) for run in self.batches[batch].runs], sort_keys=True)

    def earlier_runs_as_json(self, batch: str) -> str:
        """The rows of `earlier_runs`."""
        return json.dumps([asdict(run) for run in self.earlier_runs(batch)], sort_keys=True)

    def factors_as_json(self, batch: str) -> str:
        """The conversion factors that may apply to a batch: changing another site's re-scores nothing here."""
        chosen = self.batches[batch]
        assays = {run.assay for run in chosen.runs}
        rows = [asdict(row) for row in self.factors if row.site == chosen.site and row.assay in assays]
        return json.dumps(rows, sort_keys=True)

    def exclusions_as_json(self, batch: str) -> str:
        """The entries of the review about the runs of a batch and those it may be pooled with, in order of time."""
        runs = {run.run_id for run in (*self.batches[batch].runs, *self.earlier_runs(batch))}
        chosen = [entry for entry in self.exclusions if entry.run_id in runs]
        chosen.sort(key=lambda entry: (entry.run_id, entry.instant, entry.well, entry.target or ""))
        return json.dumps([asdict(entry) for entry in chosen], sort_keys=True)

    def raw_digest(self, batch: str) -> str:
        """Digest of what is read from outside: sees a raw file that was replaced by an older one."""
        return provenance.files_digest([*self._files(batch), *self.layouts(batch)])

    def scoring_digest(self, batch: str) -> str:
        """Digest of the sheets and standards that scoring reads."""
        files = [self.configuration["samples"], self.response_rules(), *self.assays(batch)]
        return provenance.files_digest([*files, *self.detection_studies(batch)])


@cache
def _pooled_runs_of(assay: str) -> int:
    return standards.load_assay(assay).pooled_runs


@cache
def _detection_study_of(assay: str) -> str | None:
    return standards.load_assay(assay).detection_study_file


def load_plan(configuration: Mapping[str, object]) -> Plan:
    """Validate the configuration and every sheet, and cut the runs into batches.

    Parameters
    ----------
    configuration : the workflow's configuration.

    Raises
    ------
    SheetError : with every problem of the first sheet that has any.
    StandardsError : an assay that no protocol describes, a protocol that cannot be used.
    """
    schemas = standards.schema_folder()
    settings = sheets.load_configuration(configuration, schemas)
    runs = sheets.load_runs(settings["runs"], schemas)
    sheets.load_samples(settings["samples"], schemas)
    factors = sheets.load_conversion_factors(settings["conversion_factors"], schemas)
    plan = Plan(settings, _batches(runs), tuple(factors))
    _check_assays(plan)
    plan = replace(plan, exclusions=_exclusions(plan, named="exclusions" in configuration))
    for layout in sorted({run.layout for run in runs if run.layout}):
        _check_there(layout, "layout", "a layout sheet", settings["runs"])
        sheets.load_layout(layout, schemas)
    for column_map in sorted({run.column_map for run in runs if run.column_map}):
        _check_there(column_map, "column_map", "a column map", settings["runs"])
        load_column_map(column_map)
    return plan


def _check_assays(plan: Plan) -> None:
    """Read every protocol the runs name, and see that its control gene has minima to be held against."""
    rules = standards.load_response_rules(plan.response_rules())
    for path in sorted({path for batch in plan.batches for path in plan.assays(batch)}):
        gene = standards.load_assay(path).control.name
        if gene not in rules.replicate_minimum:
            known = ", ".join(rules.replicate_minimum)
            expected = f"a control gene with minima in {plan.response_rules()}: {known}"
            raise StandardsError(Problem(f"{path}, targets.control.name", gene, expected))


def _exclusions(plan: Plan, *, named: bool) -> tuple[ReviewEntry, ...]:
    """The entries of the review. A sheet that is named must be there: without it, what was excluded would count again.

    Protocols are read for entries only.
    """
    sheet, schemas = plan.configuration["exclusions"], standards.schema_folder()
    if not named and not Path(sheet).exists():
        return ()
    if not read_sheet(sheet, "exclusions", schemas).lines:
        return tuple(load_exclusions(sheet, schemas))
    return tuple(load_exclusions(sheet, schemas, plan.assay_of_runs()))


def _batches(runs: list[sheets.RunRow]) -> dict[str, Batch]:
    members: dict[str, list[sheets.RunRow]] = {}
    for run in runs:
        members.setdefault(run.batch, []).append(run)
    return {batch: Batch(batch, rows[0].site, tuple(rows)) for batch, rows in members.items()}


def _files_of(run: sheets.RunRow) -> list[Path]:
    """The files of a run; a folder that cannot be listed, or is empty, stands for itself."""
    try:
        return files_of_run(run.raw_file, run.column_map) or [Path(run.raw_file)]
    except OSError:  # whoever reads the run says why
        return [Path(run.raw_file)]


def _check_there(path: str, column: str, what: str, sheet: str) -> None:
    if not Path(path).is_file():
        raise SheetError(Problem(f"{sheet}, column {column}", path, f"{what} that exists"))
