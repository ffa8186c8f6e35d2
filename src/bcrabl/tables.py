"""Every table of the project: its columns, their types, units and meaning, and how it is written and read.

This is the only place that knows a schema. Each field carries `unit` and `meaning` in its Arrow metadata, each file
`table` and `schema_version`. Rows are sorted by the table's key, NaN becomes null, writer settings are fixed, and a
file appears under its final name only when it is whole: the same rows give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bcrabl.errors import Problem, ResultsError, RunError
from bcrabl.whole_files import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "COPIES",
    "CQ",
    "CURVES",
    "DETECTION_LIMITS",
    "QC",
    "REACTIONS",
    "RESULTS",
    "SCHEMA_VERSION",
    "STANDARD_CURVES",
    "TABLES",
    "TRUTH",
    "Row",
    "Table",
    "list_column",
    "read_table",
    "write_table",
]

SCHEMA_VERSION = "1.4.0"

Row = dict[str, Any]
"""A row of a table as a mapping from column to value."""


@dataclass(frozen=True)
class Table:
    """One kind of table: its name, Arrow schema and the columns whose values identify and sort a row."""

    name: str
    schema: pa.Schema
    key: tuple[str, ...]

    def from_rows(self, rows: Iterable[Mapping[str, object]]) -> pa.Table:
        """The table of these rows; a column that a row leaves out is null."""
        listed = list(rows)
        names = set(self.schema.names)
        strangers = {name for row in listed for name in row} - names
        if strangers:
            raise KeyError(f"{self.name} has no column {', '.join(sorted(strangers))}")
        with _only_text(self.name):
            return pa.Table.from_pylist([_without_nan(row) for row in listed], schema=self.schema)

    def from_columns(self, columns: Mapping[str, object]) -> pa.Table:
        """The table of these columns (arrays, lists or Arrow arrays of equal length); NaN becomes null."""
        missing = set(self.schema.names) ^ set(columns)
        if missing:
            raise KeyError(f"{self.name}: columns that differ from the schema: {', '.join(sorted(missing))}")
        with _only_text(self.name):
            arrays = [_arrow_array(columns[field.name], field) for field in self.schema]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def empty(self) -> pa.Table:
        """The table with no rows."""
        return self.schema.empty_table()


@contextmanager
def _only_text(name: str) -> Iterator[None]:
    """Turn what Arrow says of half a character, as JSON may spell it, into an error of ours."""
    try:
        yield
    except UnicodeEncodeError as error:
        found = f"text with half a character ({error.object!r})"
        raise RunError(Problem(f"table {name}", found, "whole characters", "Correct the name in the input.")) from error


def _without_nan(row: Mapping[str, object]) -> dict[str, object]:
    return {name: None if isinstance(value, float) and value != value else value for name, value in row.items()}


def _arrow_array(values: object, field: pa.Field) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks().cast(field.type)
    if isinstance(values, pa.Array):
        return values.cast(field.type)
    return pa.array(values, type=field.type, from_pandas=True)


def list_column(values: NDArray[np.float64]) -> pa.Array:
    """The rows of an (n, m) array as an Arrow list column; NaN becomes null."""
    import numpy as np

    rows, length = values.shape
    flat = np.ascontiguousarray(values, dtype=np.float64).ravel()
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * length)
    return pa.ListArray.from_arrays(offsets, pa.array(flat, from_pandas=True))


def list_values(column: pa.ChunkedArray | pa.Array) -> NDArray[np.float64]:
    """The (n, m) array of a list column whose lists are equally long; null becomes NaN."""
    import numpy as np

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    flat = array.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    return flat.reshape(len(array), -1) if len(array) else np.empty((0, 0))


def write_table(table: pa.Table, kind: Table, path: str | Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a table as Parquet under `path`, whole or not at all, the same bytes for the same rows.

    Parameters
    ----------
    table : rows in any order, with the schema of `kind`.
    metadata : further key-value pairs for the file's footer; nothing that changes from one run to the next.
    """
    import pyarrow.parquet as pq

    ordered = table.sort_by([(name, "ascending") for name in kind.key]).combine_chunks()
    footer = {"table": kind.name, "schema_version": SCHEMA_VERSION, **(metadata or {})}
    ordered = ordered.cast(kind.schema).replace_schema_metadata(dict(sorted(footer.items())))
    # Arrow opens no file whose name is not UTF-8
    with replacing(path) as temporary, Path(temporary).open("wb") as file:
        pq.write_table(ordered, file, compression="zstd", compression_level=3, write_page_checksum=True)


def read_table(path: str | Path, kind: Table, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table that `write_table` wrote, whole or some of its columns.

    Raises
    ------
    ResultsError : the file is no Parquet, or was written with another schema version.
    """
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            version = (file.schema_arrow.metadata or {}).get(b"schema_version", b"none").decode()
            names = file.schema_arrow.names
            table = file.read(columns=list(columns) if columns else None)
    except (pa.ArrowInvalid, OSError) as error:
        raise ResultsError(
            Problem(str(path), str(error), f"a {kind.name} table", "Remove the file and run again.")
        ) from error
    if version != SCHEMA_VERSION or names != kind.schema.names:
        raise ResultsError(
            Problem(
                str(path), f"schema version {version}", f"{SCHEMA_VERSION} of {kind.name}", "Run again to renew it."
            )
        )
    return table.replace_schema_metadata(kind.schema.metadata)


_TYPES = {
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "number": pa.float64(),
    "numbers": pa.list_(pa.float64()),
    "numbers by name": pa.map_(pa.string(), pa.float64()),
    "count": pa.int32(),
    "flag": pa.bool_(),
    "date": pa.date32(),
}


def _schema(*columns: tuple[str, str, str, str]) -> pa.Schema:
    """A schema from (name, type, unit, meaning)."""
    fields = [
        pa.field(name, _TYPES[kind], metadata={"meaning": meaning, "unit": unit})
        for name, kind, unit, meaning in columns
    ]
    return pa.schema(fields)


_WHO = (
    ("run_id", "text", "", "run as named in the run sheet"),
    ("well", "text", "", "well, row letter and column number without leading zero"),
    ("target", "text", "", "target as named in the assay protocol"),
)
_ANNOTATION = (
    ("dye", "text", "", "reporter dye"),
    ("role", "text", "", "role of the reaction in RDML's words"),
    ("sample_id", "text", "", "sample (one cDNA) or standard in the well"),
    ("known_copies", "number", "copies/reaction", "copies put into a standard"),
)
_VENDOR = (
    ("vendor_cq", "number", "cycles", "Cq as reported by the instrument software; null where it reports none"),
    ("vendor_cq_text", "text", "", "the Cq cell as reported, where it is not a number"),
    ("vendor_call", "text", "", "call or amplification status as reported (Positive, Amp, No Amp, …)"),
    ("vendor_threshold", "number", "a.u.", "threshold as reported"),
    ("vendor_baseline_start", "number", "cycles", "first cycle of the baseline as reported"),
    ("vendor_baseline_end", "number", "cycles", "last cycle of the baseline as reported"),
    ("vendor_task", "text", "", "task or type as reported"),
    ("vendor_quantity", "number", "as exported", "quantity as reported, entered or calculated"),
    ("vendor_quantity_unit", "text", "", "unit of the quantity as reported"),
    ("vendor_omitted", "flag", "", "the export marks the reaction as omitted"),
)

REACTIONS = Table(
    "reactions",
    _schema(
        ("part", "text", "", "run inside the file, for files that hold several"),
        ("well", "text", "", "well, row letter and column number without leading zero"),
        ("target", "text", "", "target as named in the export"),
        *_ANNOTATION,
        *_VENDOR,
    ),
    ("part", "well", "target"),
)

TRUTH = Table(
    "truth",
    _schema(
        ("well", "text", "", "well"),
        ("target", "text", "", "target"),
        ("expected_copies", "number", "copies/reaction", "mean of the Poisson law the template was drawn from"),
        ("drawn_copies", "number", "copies/reaction", "template molecules really in the simulated well"),
    ),
    ("well", "target"),
)

CURVES = Table(
    "curves",
    _schema(
        *_WHO,
        *_ANNOTATION,
        ("cycles", "numbers", "cycles", "cycle numbers"),
        ("fluorescence", "numbers", "a.u.", "signal as exported"),
        ("passive_reference", "numbers", "a.u.", "passive reference dye; null where there is none"),
        ("stage", "text", "", "how far the export had processed the signal: raw, normalised, baseline_subtracted"),
        *_VENDOR,
        ("layout_overrides", "texts", "", "what the layout sheet changed against the export"),
        ("run_date", "date", "", "day of the run, from the run sheet, else from the raw file"),
        ("instrument", "text", "", "thermocycler, from the run sheet, else from the raw file"),
        ("raw_part", "text", "", "run inside the raw file"),
        ("raw_notes", "texts", "", "what the reader of the raw file had reservations about"),
        ("raw_file", "text", "", "raw file as named in the run sheet"),
        ("raw_sha256", "text", "", "SHA-256 of the raw file"),
    ),
    ("run_id", "target", "well"),
)

# Figures behind the call of a curve (bcrabl.curves.amplification), so that a laboratory can move the cuts.
_SCORES = (
    ("score_rise_per_noise", "number", "", "rise over the observed cycles in noise SDs"),
    ("score_f_ratio", "number", "", "how much better a sigmoid explains the curve than a parabola"),
    ("score_line_f_ratio", "number", "", "how much better a parabola explains the curve than a straight line"),
    ("score_ramp_ratio", "number", "", "residuals of the best straight ramp over those of the sigmoid"),
    ("score_fold", "number", "fold/cycle", "growth in the cycle before the second derivative maximum"),
    ("score_acceleration", "number", "cycles", "from the first cycle to the second derivative maximum"),
    ("score_rise_cycles", "number", "cycles", "from a tenth to nine tenths of the rise"),
    ("score_largest_step", "number", "", "largest change between readings as a share of the rise"),
    ("score_risen_readings", "number", "", "readings above noise after the take-off"),
    ("score_hook_depth", "number", "", "fall after the top as a share of the rise"),
    ("score_dip_depth", "number", "", "fall before the rise as a share of it"),
    ("score_spikes", "number", "", "readings set aside for jumping and coming back"),
    ("score_spike_size", "number", "", "largest of these jumps in noise SDs"),
    ("score_plateau_ratio", "number", "", "rise over the median rise of the target's curves"),
    ("score_ceiling_share", "number", "", "share of the readings on one flat top"),
)

_QUALITY = (
    ("noise_sd", "number", "a.u.", "noise of the readings"),
    ("signal_to_noise", "number", "", "plateau per noise SD"),
    ("baseline_drift", "number", "1/cycle", "slope of the baseline as a share of the plateau"),
    ("plateau_drift", "number", "1/cycle", "slope after the plateau is reached as a share of it"),
    ("jump", "number", "", "largest jump from one reading to the next in noise SDs"),
    ("jump_cycle", "number", "cycles", "the cycle it leads to"),
    ("efficiency_z", "number", "", "distance of the efficiency from the target's median in robust SDs"),
)

CQ = Table(
    "cq",
    _schema(
        *_WHO,
        *_ANNOTATION,
        ("call", "text", "", "amplified, not_amplified or ambiguous"),
        ("why", "text", "", "reason of the call"),
        (
            "cq",
            "number",
            "cycles",
            "quantification cycle by the assay's method; null unless amplified, or ambiguous with an exponential phase",
        ),
        ("cq_sd", "number", "cycles", "standard error of cq from the noise of the readings; tubes differ by more"),
        ("cq_method", "text", "", "the assay's Cq method"),
        ("cq_threshold", "number", "cycles", "Cq at the threshold"),
        ("cq_second_derivative", "number", "cycles", "maximum of the second derivative of the fitted sigmoid"),
        ("cq_first_derivative", "number", "cycles", "maximum of the first derivative of the fitted sigmoid"),
        ("cq_cy0", "number", "cycles", "tangent at the inflection cut with the baseline (Guescini 2008)"),
        ("cq_joint", "number", "cycles", "a tenth of the rise, the curves of the target on the plate fitted together"),
        ("cq_window_of_linearity", "number", "cycles", "Cq of LinRegPCR, at its own threshold"),
        ("cq_threshold_sd", "number", "cycles", "standard error of cq_threshold"),
        ("cq_second_derivative_sd", "number", "cycles", "standard error of cq_second_derivative"),
        ("cq_first_derivative_sd", "number", "cycles", "standard error of cq_first_derivative"),
        ("cq_cy0_sd", "number", "cycles", "standard error of cq_cy0"),
        ("cq_joint_sd", "number", "cycles", "standard error of cq_joint"),
        ("cq_window_of_linearity_sd", "number", "cycles", "standard error of cq_window_of_linearity"),
        ("threshold", "number", "a.u.", "threshold on the baseline-corrected signal"),
        ("baseline_start", "number", "cycles", "first cycle of the baseline window used"),
        ("baseline_end", "number", "cycles", "last cycle of the baseline window used"),
        ("baseline_intercept", "number", "a.u.", "baseline line at cycle 0"),
        ("baseline_slope", "number", "a.u./cycle", "slope of the baseline line"),
        ("plateau", "number", "a.u.", "rise of the fitted sigmoid to its plateau; null where nothing amplifies"),
        ("efficiency", "number", "fold/cycle", "amplification per cycle in the window of linearity (LinRegPCR)"),
        ("window_points", "count", "", "readings in the window of linearity"),
        ("mean_efficiency", "number", "fold/cycle", "mean efficiency of the target, outliers left out"),
        ("n0", "number", "a.u.", "signal at cycle 0 by the window of linearity and the mean efficiency"),
        ("shape_distance", "number", "", "squared distance of the curve's shape from its target's, in units of spread"),
        ("growth_ratio", "number", "", "growth per cycle over that of the target's standards at this Cq"),
        ("rise_ratio", "number", "", "rise over that of the target's standards at this Cq"),
        ("growth_z", "number", "", "growth against the standards' in SDs, negative where slower"),
        ("rise_z", "number", "", "rise against the standards' in SDs, negative where lower"),
        *_SCORES,
        *_QUALITY,
        ("fit_parameters", "numbers", "mixed", "baseline, plateau (a.u.), slope (1/cycle), e (cycles), asymmetry f"),
        ("rss", "number", "a.u.²", "residual sum of squares of the sigmoid fit"),
        ("flags", "texts", "", "what is noteworthy about the curve"),
    ),
    ("run_id", "target", "well"),
)

STANDARD_CURVES = Table(
    "standard_curves",
    _schema(
        ("run_id", "text", "", "run as named in the run sheet"),
        ("target", "text", "", "target"),
        ("slope", "number", "cycles/decade", "slope of Cq on log10 copies"),
        ("intercept", "number", "cycles", "Cq of one copy"),
        ("slope_variance", "number", "(cycles/decade)²", "variance of the slope"),
        ("intercept_variance", "number", "cycles²", "variance of the intercept"),
        ("slope_intercept_covariance", "number", "cycles²/decade", "covariance of slope and intercept"),
        ("residual_sd", "number", "cycles", "scatter of one reaction about the line; chance in its molecules apart"),
        ("degrees_of_freedom", "number", "1", "of residual_sd"),
        (
            "weighting",
            "text",
            "",
            "poisson: standards weighted by chance in few molecules; none: ordinary least squares",
        ),
        ("r_squared", "number", "", "coefficient of determination"),
        ("efficiency", "number", "", "10 ** (-1 / slope) - 1"),
        ("levels", "count", "", "distinct standard levels used"),
        ("points", "count", "", "standard reactions used"),
        ("points_used", "texts", "", "wells used"),
        ("points_left_out", "texts", "", "wells left out, each with the reason"),
        ("own_slope", "number", "cycles/decade", "slope of this run alone; differs from slope where runs were pooled"),
        ("own_intercept", "number", "cycles", "intercept of this run alone"),
        ("pooled_runs", "count", "", "earlier runs the curve was compared with"),
        ("pooling_p", "number", "probability", "test whether this run belongs to them"),
        ("lack_of_fit_p", "number", "probability", "F test of the line against its levels; null without replicates"),
        ("linearity_deviation_percent", "number", "%", "copies by the line against a polynomial, where farthest"),
        ("linearity_p", "number", "probability", "t tests of a bend of second or third degree; null with few levels"),
        ("outlying_standards", "texts", "", "wells whose Cq a test finds outlying, with the test; all kept"),
        ("missed_standards", "texts", "", "levels with standards that were not detected, and how likely by chance"),
        ("copies_low", "number", "copies/reaction", "lowest level used"),
        ("copies_high", "number", "copies/reaction", "highest level used"),
        ("slope_before_review", "number", "cycles/decade", "without the review; null where no entry touches the run"),
        ("intercept_before_review", "number", "cycles", "without the review; null where no entry touches the run"),
        ("accepted", "flag", "", "no acceptance check of this target failed"),
        ("why", "text", "", "why there is no curve, or why it was not accepted"),
    ),
    ("run_id", "target"),
)

COPIES = Table(
    "copies",
    _schema(
        *_WHO,
        ("role", "text", "", "role of the reaction in RDML's words"),
        ("sample_id", "text", "", "sample (one cDNA) or standard in the well"),
        ("cq", "number", "cycles", "quantification cycle"),
        ("detected", "flag", "", "the reaction amplified, and no later than the assay's Cq limit"),
        ("copies", "number", "copies/reaction", "copies read off the standard curve; 0 where not detected"),
        ("copies_low", "number", "copies/reaction", "lower 95 % limit of the expected copies, counting included"),
        ("copies_high", "number", "copies/reaction", "upper limit; where not detected: 95 % bound; infinite: no bound"),
        ("within_range", "flag", "", "inside the calibrated range; null where not detected"),
        ("excluded", "flag", "", "takes no part in the result"),
        ("excluded_why", "text", "", "why it takes no part"),
        ("review", "text", "", "entry of the review that holds: action, reason, by whom, when; null without one"),
    ),
    ("run_id", "target", "well"),
)

RESULTS = Table(
    "results",
    _schema(
        ("run_id", "text", "", "run as named in the run sheet"),
        ("sample_id", "text", "", "sample (one cDNA)"),
        ("role", "text", "", "role of the sample's reactions in RDML's words"),
        ("patient_id", "text", "", "patient pseudonym"),
        ("collection_date", "date", "", "day the specimen was drawn"),
        ("run_date", "date", "", "day of the run, from the run sheet or the raw file"),
        ("transcript", "text", "", "BCR::ABL1 transcript type"),
        ("material", "text", "", "specimen"),
        ("assay", "text", "", "assay protocol"),
        ("control_gene", "text", "", "control gene"),
        ("replicates", "count", "", "BCR::ABL1 reactions counted"),
        ("detected_replicates", "count", "", "BCR::ABL1 reactions that amplified"),
        ("control_replicates", "count", "", "control gene reactions counted"),
        ("bcr_abl_copies", "number", "copies", "BCR::ABL1, sum over replicates, as read off the curve"),
        ("bcr_abl_copies_scored", "number", "copies", "the same after the assay's rule for very few copies"),
        ("control_copies", "number", "copies", "control gene in the same volume, summed over replicates"),
        ("control_copies_lowest", "number", "copies/reaction", "control gene in its weakest replicate"),
        ("ratio_percent", "number", "%", "100 × BCR::ABL1 as scored / control gene, local scale"),
        ("ratio_percent_uncensored", "number", "%", "the same of the copies as read"),
        ("ratio_low", "number", "%", "lower 95 % limit of the true ratio"),
        ("ratio_high", "number", "%", "upper 95 % limit; of an undetected sample: its upper bound; infinite: no bound"),
        ("conversion_factor", "number", "", "local scale to International Scale"),
        ("conversion_factor_id", "text", "", "the conversion factor's site, assay, control gene and first day"),
        ("is_percent", "number", "%", "International Scale; 0 where not detected; null where there is none"),
        ("is_percent_uncensored", "number", "%", "the same of the copies as read"),
        ("is_low", "number", "%", "lower 95 % limit of the true value"),
        ("is_high", "number", "%", "upper 95 % limit; of an undetected sample: its upper bound; infinite: no bound"),
        ("detected", "flag", "", "any BCR::ABL1 replicate amplified"),
        ("response_class", "text", "", "deepest molecular response class reached; null where none or not evaluable"),
        ("class_probabilities", "numbers by name", "probability", "of each class, and of none, given the Cq"),
        ("sensitivity_percent", "number", "%", "one copy per control gene copies tested, local scale"),
        ("sensitivity_mr", "number", "log10", "2 - log10 of sensitivity_percent: depth by the guideline's one copy"),
        ("sensitivity_class", "text", "", "deepest class the control gene copies permit"),
        ("excluded_percent", "number", "%", "level an undetected result excludes, on IS: lod_copies per control gene"),
        ("excluded_mr", "number", "log10", "2 - log10 of excluded_percent: depth by the limit of detection"),
        ("lod_copies", "number", "copies/reaction", "limit of detection of one reaction, from protocol or study"),
        ("loq_copies", "number", "copies", "limit of quantification; null where the protocol refers to no study"),
        ("evaluable", "flag", "", "control gene suffices to score the sample"),
        ("outcome", "text", "", "report, review or repeat"),
        ("is_percent_before_review", "number", "%", "is_percent without the review; null: no entry touches the run"),
        ("ratio_percent_before_review", "number", "%", "ratio_percent without it; null: no entry touches the run"),
        ("outcome_before_review", "text", "", "outcome without the review; null: no entry touches the run"),
        ("flags", "texts", "", "why not simply report"),
    ),
    ("run_id", "sample_id"),
)

QC = Table(
    "qc",
    _schema(
        ("run_id", "text", "", "run as named in the run sheet"),
        ("target", "text", "", "target; null for a check of the whole run"),
        ("sample_id", "text", "", "sample; null for a check of run or target"),
        ("well", "text", "", "well; null for a check of more than one"),
        ("check", "text", "", "what was checked"),
        ("value", "number", "see unit", "what was found"),
        ("lower", "number", "see unit", "lowest value that passes"),
        ("upper", "number", "see unit", "highest value that passes"),
        ("unit", "text", "", "unit of value, lower and upper"),
        ("outcome", "text", "", "pass, warn or fail"),
        ("message", "text", "", "the finding in words"),
    ),
    ("run_id", "target", "sample_id", "well", "check", "message"),
)

DETECTION_LIMITS = Table(
    "detection_limits",
    _schema(
        ("study", "text", "", "detection study as named in its sheet"),
        ("target", "text", "", "target as named in the assay protocol"),
        ("link", "text", "", "model of the chance of detection: probit, logit, cloglog or one_hit"),
        ("chosen", "flag", "", "the link the configuration names"),
        ("assay", "text", "", "assay protocol of all runs"),
        ("runs", "texts", "", "runs of the study"),
        ("status", "text", "", "ok, or refused where the study determines no limit by this link"),
        ("why", "text", "", "why it was refused"),
        ("probability", "number", "", "chance of detection at the limit of detection"),
        ("confidence", "number", "", "of all intervals, two-sided"),
        ("lod_copies", "number", "copies/reaction", "limit of detection of one reaction"),
        ("lod_low", "number", "copies/reaction", "lower end of its profile likelihood interval; 0 where there is none"),
        ("lod_high", "number", "copies/reaction", "upper end; infinite where the study sets none"),
        ("replicates", "count", "", "reactions of a sample of which one positive makes it positive"),
        ("replicates_lod_copies", "number", "copies/reaction", "limit of detection of a sample of so many reactions"),
        ("replicates_lod_low", "number", "copies/reaction", "lower end of its interval; 0 where there is none"),
        ("replicates_lod_high", "number", "copies/reaction", "upper end; infinite where the study sets none"),
        ("lowest_level_detected", "number", "copies/reaction", "lowest level found with that chance, without a model"),
        ("intercept", "number", "link's scale", "of the link's predictor at one copy"),
        ("slope", "number", "1/decade", "of the link's predictor on log10 copies"),
        ("background", "number", "", "chance of a positive without target; 0 unless estimated"),
        ("aic", "number", "", "Akaike's information criterion; the lowest fits best"),
        ("akaike_weight", "number", "", "weight of the link among those that fit"),
        ("deviance", "number", "", "misfit against a share of its own for each level"),
        ("degrees_of_freedom", "count", "", "of the deviance"),
        ("goodness_of_fit_p", "number", "", "p value of the deviance; null without degrees of freedom"),
        (
            "one_hit_p",
            "number",
            "",
            "p value of one-hit within cloglog: small where molecules are not found one by one",
        ),
        ("lob_copies", "number", "copies/reaction", "limit of blank"),
        ("lob_low", "number", "copies/reaction", "lower end of its interval"),
        ("lob_high", "number", "copies/reaction", "upper end; infinite where there are too few blanks"),
        ("lob_method", "text", "", "non_parametric or parametric"),
        ("lob_why", "text", "", "why there is no limit of blank"),
        ("blanks", "count", "", "blank reactions"),
        ("blanks_detected", "count", "", "blank reactions that were detected"),
        ("loq_copies", "number", "copies/reaction", "limit of quantification, where the CV profile falls to loq_cv"),
        ("loq_low", "number", "copies/reaction", "lower end of its interval; 0 where there is none"),
        ("loq_high", "number", "copies/reaction", "upper end; infinite where the study sets none"),
        ("loq_reported", "number", "copies/reaction", "loq_copies, raised to the limit of detection and lowest level"),
        ("loq_cv", "number", "", "CV of one reaction that is good enough; null where none was stated"),
        ("loq_why", "text", "", "why there is no limit of quantification"),
        ("cv_plateau", "number", "", "CV at many copies by the profile CV² = plateau² + counting/copies"),
        (
            "cv_counting",
            "number",
            "copies/reaction",
            "counting of the profile; 1 + plateau² where every molecule counts",
        ),
        ("level_copies", "numbers", "copies/reaction", "levels of the study, 0 for blanks"),
        ("level_reactions", "numbers", "", "reactions of each level"),
        ("level_detected", "numbers", "", "reactions of each level that were detected"),
        ("level_ambiguous", "numbers", "", "reactions of each level called ambiguous; they count as not detected"),
        ("level_cv", "numbers", "", "CV of back-calculated copies at each level, undetected as 0; null where none"),
        ("left_out", "texts", "", "reactions that took no part, counted by reason"),
        ("flags", "texts", "", "what to keep in mind with these limits"),
    ),
    ("study", "target", "link"),
)

TABLES: Sequence[Table] = (CURVES, CQ, STANDARD_CURVES, COPIES, RESULTS, QC)
"""The tables under results/, in the order of the way."""
