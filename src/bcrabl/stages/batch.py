"""The two jobs of a batch, each reading like the picture of the way: analyse (read, fit), score (calibrate … accept).

A run that cannot be used is refused: it never stops the others of its batch and the summary names it with the reason.
What earlier tables hold of it is carried over and scored as before; with nothing to carry over, the qc table says why.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bcrabl import sheets, standards
from bcrabl.acceptance import Check, finding, worst
from bcrabl.errors import BcrablError
from bcrabl.stages import accept
from bcrabl.stages.calibrate import Calibration, calibrate
from bcrabl.stages.fit import fit_cq
from bcrabl.stages.pooling import check_pooling, pool_calibrations
from bcrabl.stages.quantify import quantify
from bcrabl.stages.read import read_curves
from bcrabl.stages.review import check_calls, check_entries, review_reactions, with_values_before
from bcrabl.stages.score import Scoring, score_samples
from bcrabl.tables import COPIES, CQ, CURVES, QC, RESULTS, STANDARD_CURVES, Row, read_table, write_table
from bcrabl.whole_files import write_text

if TYPE_CHECKING:
    from bcrabl.review_sheet import ReviewEntry
    from bcrabl.standards import AssayProtocol

__all__ = ["ScoringFiles", "analyse_batch", "score_batch"]

log = logging.getLogger("bcrabl")

_SCORED = (STANDARD_CURVES, COPIES, RESULTS, QC)
_READ_FROM_CURVES = (
    "run_id",
    "well",
    "target",
    "stage",
    "layout_overrides",
    "vendor_omitted",
    "run_date",
    "raw_file",
    "raw_sha256",
    "raw_notes",
    "instrument",
    "passive_reference",
)
_ABOUT_THE_FILE = ("run_date", "instrument", "raw_file", "raw_sha256", "raw_notes")


def analyse_batch(runs: Sequence[sheets.RunRow], assays: Sequence[str], output: Mapping[str, str]) -> None:
    """Read the raw files of a batch and analyse their curves.

    Parameters
    ----------
    runs : rows of the run sheet.
    assays : files of the assay protocols.
    output : paths of `curves`, `cq` (Parquet) and `refused` (JSON: the runs that cannot be used, with the reason).
    """
    protocols = _protocols(assays)
    curves, cqs, refused = [CURVES.empty()], [CQ.empty()], {}
    for run in runs:
        try:
            layout = sheets.load_layout(run.layout) if run.layout else ()
            curve_table = read_curves(run, protocols[run.assay], layout)
            cq_table = fit_cq(curve_table, protocols[run.assay])
        except BcrablError as error:
            log.error("%s REFUSED: %s", run.run_id, error)
            refused[run.run_id] = str(error)
            continue
        log.info("%s: %d reactions read and analysed", run.run_id, curve_table.num_rows)
        curves.append(curve_table)
        cqs.append(cq_table)
    earlier = _earlier(output, list(refused))
    if earlier:
        log.error("The earlier results of the refused runs stay as they are.")
        curves.append(earlier[0])
        cqs.append(earlier[1])
    write_table(pa.concat_tables(curves), CURVES, output["curves"])
    write_table(pa.concat_tables(cqs), CQ, output["cq"])
    _write_json(refused, output["refused"])


class ScoringFiles:
    """What `score_batch` reads.

    Parameters
    ----------
    curves, cq, refused : what `analyse_batch` wrote.
    assays : files of the assay protocols.
    response_rules, samples : files of the response classes and of the sample sheet.
    factors : conversion factors that may apply.
    earlier : runs of other batches with the `curves` and `cq` that hold them; those before a run may be pooled with it.
    exclusions : entries of the review of all these runs.
    """

    def __init__(
        self,
        curves: str,
        cq: str,
        refused: str,
        assays: Sequence[str],
        response_rules: str,
        samples: str,
        factors: Sequence[sheets.ConversionFactorRow],
        earlier: Sequence[tuple[sheets.RunRow, str, str]] = (),
        exclusions: Sequence[ReviewEntry] = (),
    ) -> None:
        self.cq = pa.concat_tables([read_table(cq, CQ), *(_rows_of(run, other) for run, _, other in earlier)])
        self.about = _about(curves)
        for other in sorted({other_curves for _, other_curves, _ in earlier}):
            self.about = _about(other) | self.about
        self.earlier = [run for run, _, _ in earlier]
        self.refused: dict[str, str] = json.loads(Path(refused).read_text(encoding="utf-8"))
        self.assays = _protocols(assays)
        self.rules = standards.load_response_rules(response_rules)
        self.samples = sheets.load_samples(samples)
        self.factors = factors
        self.exclusions = exclusions
        self.calibrated: dict[str, _Calibrated] = {}

    def entries(self, run_id: str) -> list[ReviewEntry]:
        """The entries of the review about a run."""
        return [entry for entry in self.exclusions if entry.run_id == run_id]


@dataclass(frozen=True)
class _Calibrated:
    """A run with its own curves, before any pooling, and the entries of the review that were applied to it."""

    entries: list[ReviewEntry]
    reactions: list[Row]
    raw: Row
    calibrations: dict[str, Calibration]
    checks: list[Check]

    @property
    def accepted(self) -> bool:
        """Whether nothing failed that concerns the whole run or one of its targets."""
        return worst(self.checks) != "fail" and all(each.curve is not None for each in self.calibrations.values())


def score_batch(runs: Sequence[sheets.RunRow], files: ScoringFiles, output: Mapping[str, str]) -> None:
    """Calibrate, quantify, score and accept the runs of a batch.

    Parameters
    ----------
    runs : rows of the run sheet.
    files : everything that is read.
    output : paths of `standard_curves`, `copies`, `results`, `qc` (Parquet) and `status` (JSON, for the summary).
    """
    tables: dict[str, list[Row]] = {table.name: [] for table in _SCORED}
    status = []
    for run in runs:
        rows, about = _process(run, runs, files)
        log.info("%s: %s", run.run_id, about["outcome"])
        status.append(about)
        for name, new in rows.items():
            tables[name] += new
    for table in _SCORED:
        write_table(table.from_rows(tables[table.name]), table, output[table.name])
    first = runs[0]
    _write_json({"batch": first.batch, "site": first.site, "runs": status}, output["status"])


def _process(
    run: sheets.RunRow, runs: Sequence[sheets.RunRow], files: ScoringFiles
) -> tuple[dict[str, list[Row]], Row]:
    """The rows of all four tables for one run, refused or not, and its entry in the status."""
    if run.run_id not in files.refused:
        return _score_run(run, runs, files)
    rows, status = _refused(run, files.refused[run.run_id])
    carried_over = any(run_id == run.run_id for run_id, _, _ in files.about)
    return (_score_run(run, runs, files)[0] if carried_over else rows), status


def _score_run(
    run: sheets.RunRow, runs: Sequence[sheets.RunRow], files: ScoringFiles
) -> tuple[dict[str, list[Row]], Row]:
    """The rows of all four tables for one run, and its entry in the status; a reviewed run is scored without it too."""
    earlier = _before(run, runs, files)
    own = _calibrated(run, files)
    rows, status = _score_calibrated(run, own, earlier, files)
    if not own.entries:
        return rows, status
    unreviewed, _ = _score_calibrated(run, _calibrate_run(run, [], files), earlier, files)
    return with_values_before(rows, unreviewed), status


def _score_calibrated(
    run: sheets.RunRow, own: _Calibrated, earlier: Sequence[dict[str, Calibration]], files: ScoringFiles
) -> tuple[dict[str, list[Row]], Row]:
    assay, raw = files.assays[run.assay], own.raw
    calibrations = pool_calibrations(own.calibrations, earlier, assay)
    copies = quantify(own.reactions, calibrations, assay.cq_limit)
    scoring = Scoring(run, raw["run_date"], assay, files.rules, files.samples, files.factors)
    scored = score_samples(copies, calibrations, scoring)
    checks = [finding("export", "warn", note) for note in raw["raw_notes"] or ()]
    checks += own.checks + accept.check_parallelism(calibrations, assay) + check_pooling(calibrations, assay)
    checks += accept.check_samples(copies, scored, assay) + accept.check_controls(scored, assay)
    checks += check_calls(copies, scored)
    if not scored:
        checks.append(finding("samples", "warn", "no sample of this run could be scored: no named unknowns"))
    results = accept.concluded(scored, checks)
    rows = {
        "standard_curves": [_curve_row(run.run_id, calibration, checks) for calibration in calibrations.values()],
        "copies": [{name: row.get(name) for name in COPIES.schema.names} for row in copies],
        "results": results,
        "qc": accept.qc_rows(run.run_id, checks),
    }
    return rows, _status(run, checks, results, raw)


def _calibrated(run: sheets.RunRow, files: ScoringFiles) -> _Calibrated:
    """The run's own calibrations and what acceptance says of them, worked out once where runs are pooled."""
    if run.run_id in files.calibrated:
        return files.calibrated[run.run_id]
    own = _calibrate_run(run, files.entries(run.run_id), files)
    if files.assays[run.assay].pooled_runs:  # later runs will ask again
        files.calibrated[run.run_id] = own
    return own


def _calibrate_run(run: sheets.RunRow, entries: list[ReviewEntry], files: ScoringFiles) -> _Calibrated:
    assay = files.assays[run.assay]
    fitted, raw = _reactions(run.run_id, files)
    reactions = review_reactions(fitted, entries)
    calibrations = calibrate(reactions, assay)
    checks = accept.check_reading(reactions, assay) + check_entries(entries, reactions)
    for target, calibration in calibrations.items():
        checks += accept.check_target(calibration, [row for row in reactions if row["target"] == target], assay)
    return _Calibrated(entries, reactions, raw, calibrations, checks)


def _before(run: sheets.RunRow, runs: Sequence[sheets.RunRow], files: ScoringFiles) -> list[dict[str, Calibration]]:
    """Calibrations of the accepted runs before this one that are like it, oldest first; none if none are asked for."""
    if not files.assays[run.assay].pooled_runs:
        return []
    like = [each for each in (*runs, *files.earlier) if (each.site, each.assay) == (run.site, run.assay)]
    known = {each.run_id: _calibrated(each, files) for each in like if each.run_id not in files.refused}
    here = known.get(run.run_id)
    if here is None or here.raw["run_date"] is None:
        return []
    before = [
        (each.raw["run_date"], run_id, each)
        for run_id, each in known.items()
        if each.raw["run_date"] is not None
        and (each.raw["run_date"], run_id) < (here.raw["run_date"], run.run_id)
        and each.raw["instrument"] == here.raw["instrument"]
        and each.accepted
    ]
    return [each.calibrations for _, _, each in sorted(before, key=lambda entry: entry[:2])]


def _refused(run: sheets.RunRow, reason: str) -> tuple[dict[str, list[Row]], Row]:
    checks = [finding("run_refused", "fail", reason)]
    nothing_read = {"run_date": None, "raw_file": run.raw_file, "raw_sha256": None}
    return {"qc": accept.qc_rows(run.run_id, checks)}, _status(run, checks, [], nothing_read) | {"outcome": "refused"}


def _reactions(run_id: str, files: ScoringFiles) -> tuple[list[Row], Row]:
    """The cq rows of a run with what else is known of each reaction, and what is known of the run's raw file."""
    rows = files.cq.filter(pc.equal(files.cq["run_id"], run_id)).to_pylist()
    reactions = []
    for row in rows:
        about = files.about[row["run_id"], row["target"], row["well"]]
        excluded = "marked as omitted in the export" if about["vendor_omitted"] else None
        reactions.append(row | about | {"excluded_why": excluded})
    raw = {name: reactions[0][name] if reactions else None for name in _ABOUT_THE_FILE}
    return reactions, raw


def _rows_of(run: sheets.RunRow, cq: str) -> pa.Table:
    table = read_table(cq, CQ)
    return table.filter(pc.equal(table["run_id"], run.run_id))


def _about(curves: str) -> dict[tuple[str, str, str], Row]:
    """Columns of the curves table by reaction, without the curves."""
    table = read_table(curves, CURVES, _READ_FROM_CURVES)
    with_passive = pc.is_valid(table["passive_reference"]).to_pylist()
    rows = table.drop_columns("passive_reference").to_pylist()
    for row, has_passive in zip(rows, with_passive, strict=True):
        row["has_passive_reference"] = has_passive
    return {(row["run_id"], row["target"], row["well"]): row for row in rows}


def _curve_row(run_id: str, calibration: Calibration, checks: Sequence[Check]) -> Row:
    failed = [check for check in checks if check.target == calibration.target and check.outcome == "fail"]
    failed = [check for check in failed if check.sample_id is None]
    return calibration.as_row(run_id, not failed, "; ".join(check.message for check in failed))


def _status(run: sheets.RunRow, checks: Sequence[Check], results: Sequence[Row], raw: Row) -> Row:
    of_run = [check for check in checks if check.sample_id is None and check.outcome == "fail"]
    outcomes = [str(row["outcome"]) for row in results if row["role"] == "unkn"]
    return {
        "run_id": run.run_id,
        "assay": run.assay,
        "outcome": "failed" if worst(of_run) == "fail" else "accepted",
        "why": [f"{check.target}: {check.message}" if check.target else check.message for check in of_run],
        "samples": {outcome: outcomes.count(outcome) for outcome in ("report", "review", "repeat")},
        "run_date": raw["run_date"].isoformat() if hasattr(raw["run_date"], "isoformat") else None,
        "raw_file": raw["raw_file"],
        "raw_sha256": raw["raw_sha256"],
    }


def _protocols(files: Sequence[str]) -> dict[str, AssayProtocol]:
    protocols = (standards.load_assay(file) for file in files)
    return {protocol.id: protocol for protocol in protocols}


def _earlier(output: Mapping[str, str], runs: Sequence[str]) -> tuple[pa.Table, ...]:
    """What earlier curves and cq tables hold of some runs; nothing where they hold none or cannot be read."""
    if not runs or not all(Path(output[name]).is_file() for name in ("curves", "cq")):
        return ()
    try:
        tables = [read_table(output[kind.name], kind) for kind in (CURVES, CQ)]
    except BcrablError:
        return ()
    earlier = tuple(table.filter(pc.is_in(table["run_id"], pa.array(runs))) for table in tables)
    return earlier if all(table.num_rows for table in earlier) else ()


def _write_json(content: object, path: str) -> None:
    write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", path)
