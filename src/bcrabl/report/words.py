"""What names of the tables mean in words, and how numbers are written on a page.

A number stands on a page as `<data value="exact">rounded</data>`: a person reads the rounded text, a program and the
sorting of a table the exact value, as the Parquet file holds it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from markupsafe import Markup, escape

__all__ = ["CALLS", "CURVE_FLAGS", "FLAGS", "NOTHING", "ROLES", "exact", "figure", "joined", "number", "words"]

FLAGS = {
    "ambiguous_call": "a curve may or may not be an amplification",
    "below_lowest_standard": "copies below the lowest standard",
    "beyond_calibrated_range": "copies above the calibrated range",
    "control_gene_low": "too few control gene copies",
    "interval_undetermined": "replicates contradict each other, so that there is no interval",
    "interval_unbounded": "the standard curve is too uncertain to bound the result",
    "inhibition_suspected": "a curve is slower or lower than those of the standards: inhibited?",
    "below_limit_of_quantification": "fewer copies than the limit of quantification",
    "late_cq": "a curve amplifies later than a molecule would: counted as not detected",
    "mixed_control_genes": "reactions of another control gene under this name, left out",
    "mixed_roles": "reactions of different roles under one sample name",
    "no_bcr_abl_reaction": "no usable BCR::ABL1 reaction",
    "no_control_gene": "no usable control gene reaction",
    "no_run_date": "no run date, so no conversion factor",
    "no_valid_conversion_factor": "no conversion factor valid on the run date",
    "not_in_sample_sheet": "not in the sample sheet",
    "not_on_international_scale": "transcript is not on the International Scale",
    "ratio_saturated": "value too low: the control gene's primers find BCR::ABL1 too",
    "reaction_excluded": "a reaction was left out",
    "replicate_spread": "replicates differ too much",
    "review_not_applied": "an entry of the review could not be followed",
    "reviewed": "changed by the review",
    "run_failed": "the run failed acceptance",
    "three_copy_rule_applied": "a positive below three copies, scored as three",
    "transcript_unknown": "transcript unknown",
    "unlikely_dropout": "one replicate undetected beside others with many copies: failed? There is no interval",
    "weak_control_replicate_dropped": "a weak control gene replicate was left out",
    "control_outside_window": "control sample outside its window",
}
"""The flags of the results table in words."""

CURVE_FLAGS = {
    "baseline_subtracted_export": "the export holds baseline-subtracted signal only",
    "baseline_window_shortened": "the baseline window was shortened because the curve rises early",
    "cq_outside_cycles": "a Cq lies outside the cycles read",
    "efficiency_outlier": "the efficiency is not that of its target",
    "falling_plateau": "the signal falls after its top",
    "fit_not_converged": "the sigmoid fit did not converge",
    "high_plateau": "the plateau is high for its target",
    "inhibition_suspected": "slower or lower than the standards: inhibited?",
    "jump": "a reading jumps away from the one before it",
    "low_plateau": "the plateau is low for its target",
    "missing_cycles": "cycles are missing",
    "no_baseline_window": "no window for a baseline",
    "no_exponential_phase": "no exponential phase",
    "no_plateau": "no plateau is reached",
    "noisy": "the noise is large against the plateau",
    "readings_set_aside": "readings were set aside for jumping and coming back",
    "rises_outside_cycles": "rises outside the cycles read",
    "rising_plateau": "the signal goes on rising in a line after its plateau",
    "saturated": "readings lie on one flat top",
    "shape_outlier": "the shape is not that of its target's curves",
    "steep_baseline": "the baseline drifts",
}
"""The flags of the cq table in words."""

ROLES = {
    "unkn": "sample",
    "std": "standard",
    "ntc": "no-template control",
    "nac": "no-amplification control",
    "nrt": "no-reverse-transcription control",
    "pos": "positive control",
    "neg": "negative control",
    "calibrator": "calibrator",
}
"""RDML's roles of a reaction in words."""

CALLS = {"amplified": "amplified", "not_amplified": "not amplified", "ambiguous": "ambiguous"}

NOTHING = "–"
"""Where there is no value."""

_THIN_SPACE = "\u202f"


def number(value: object) -> str:
    """A number with three significant digits, whole from 1000 on; a dash where there is none."""
    if not isinstance(value, int | float):
        return NOTHING if value is None else str(value)
    if value == 0:
        return "0"
    return f"{value:,.0f}".replace(",", _THIN_SPACE) if abs(value) >= 1000 else f"{value:.3g}"


def exact(value: float | date) -> str:
    """A value as a program reads it back unchanged."""
    return value.isoformat() if isinstance(value, date) else repr(value)


def figure(value: float | None, form: str = "") -> Markup:
    """A number for a page, rounded for the reader and exact for the machine.

    Parameters
    ----------
    value : None gives a dash.
    form : format of the text; without, that of `number`.
    """
    if value is None:
        return escape(NOTHING)
    text = f"{value:{form}}" if form else number(value)
    return Markup(f'<data value="{exact(value)}">{text}</data>')  # noqa: S704 - digits only


def words(names: Iterable[str] | None, meanings: dict[str, str]) -> str:
    """Flags in words; one without words stands as it is."""
    return "; ".join(meanings.get(name, name.replace("_", " ")) for name in names or ())


def joined(parts: Iterable[object]) -> Markup:
    """Parts one below the other, the first large; what is empty is left out."""
    shown = [escape(part) for part in parts if part not in ("", None)]
    return Markup("").join([*shown[:1], *(Markup("<small>{}</small>").format(part) for part in shown[1:])])
