"""Raw file and layout sheet → curves → Cq, on simulated exports whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bcrabl.calibration import fit_standard_curve
from bcrabl.curves import METHODS
from bcrabl.errors import FileError, RunError
from bcrabl.formats import write_lc480_txt, write_rdml
from bcrabl.provenance import file_digest
from bcrabl.sheets import LayoutRow, RunRow
from bcrabl.simulation import Kinetics, Optics, Reaction, Sample, sample_plate, simulate_run
from bcrabl.stages.fit import fit_cq
from bcrabl.stages.read import read_curves
from bcrabl.standards import assay_path, load_assay
from bcrabl.tables import CQ, CURVES, list_values

FUSION, CONTROL = "BCR::ABL1", "ABL1"
DUPLEX = {
    FUSION: Kinetics(dye="FAM"),
    CONTROL: Kinetics(dye="VIC"),
    "BCR-ABL": Kinetics(),
    "GAPDH": Kinetics(dye="CY5"),
}


@pytest.fixture(scope="module")
def eac():
    return load_assay(assay_path("eac"))


@pytest.fixture
def exported(tmp_path):
    """Simulates a plate, writes it as RDML and gives its row of the run sheet."""

    def _exported(plate, *, columns=None, optics=None, **row):
        run = simulate_run(plate, seed=31, kinetics=DUPLEX, optics=optics, run_date="2026-03-02")
        for name, values in (columns or {}).items():
            index = run.reactions.schema.get_field_index(name)
            field = run.reactions.schema.field(index)
            run = replace(run, reactions=run.reactions.set_column(index, field, pa.array(values, type=field.type)))
        write_rdml(run, tmp_path / "raw.rdml")
        return RunRow(
            **{"run_id": "R1", "site": "LAB1", "raw_file": str(tmp_path / "raw.rdml"), "assay": "eac"} | row, batch="R1"
        )

    return _exported


def three_wells():
    return (
        Reaction("A1", FUSION, "unkn", "S1", 1e4),
        Reaction("A2", FUSION, "std", "STD-1000", 1e3, 1e3),
        Reaction("A3", "GAPDH", "unkn", "S1", 1e4),
    )


def duplex_wells():
    return tuple(
        Reaction(well, target, "unkn", sample, 1e4)
        for well, sample in (("A1", "S1"), ("A2", "S2"))
        for target in (FUSION, CONTROL)
    )


def by_well(table):
    return {(row["well"], row["target"]): row for row in table.to_pylist()}


# -- read -------------------------------------------------------------------------------------------------------------


def test_the_export_is_read_as_it_says_where_there_is_no_layout(exported, eac):
    row = exported(three_wells())
    table = read_curves(row, eac)
    assert table.schema.equals(CURVES.schema)
    curves = by_well(table)
    standard = curves["A2", FUSION]
    assert (standard["role"], standard["sample_id"], standard["known_copies"]) == ("std", "STD-1000", 1e3)
    assert (standard["run_id"], standard["run_date"], standard["stage"]) == ("R1", date(2026, 3, 2), "raw")
    assert standard["raw_sha256"] == file_digest(row.raw_file)
    assert len(standard["cycles"]) == len(standard["fluorescence"]) == len(standard["passive_reference"]) == 50
    assert all(each["layout_overrides"] == [] for each in curves.values())


def test_run_date_and_instrument_of_the_sheet_win_over_the_file(exported, eac):
    row = exported(three_wells(), run_date="2026-12-24", instrument="QS5")
    table = read_curves(row, eac)
    assert set(table["run_date"].to_pylist()) == {date(2026, 12, 24)}
    assert set(table["instrument"].to_pylist()) == {"QS5"}


def test_a_name_of_the_target_that_the_protocol_knows_becomes_its_own(exported, eac):
    row = exported([Reaction("A1", "BCR-ABL", "unkn", "S1", 1e4)])
    assert read_curves(row, eac)["target"].to_pylist() == [FUSION]


def test_the_layout_wins_over_the_export_and_every_contradiction_is_recorded(exported, eac):
    layout = [
        LayoutRow("A1", FUSION, role="std", sample_id="STD-100", known_copies=100.0),
        LayoutRow("A2", FUSION, role="std", sample_id="STD-1000", known_copies=2000.0),
    ]
    curves = by_well(read_curves(exported(three_wells(), layout="l.tsv"), eac, layout))
    first, second = curves["A1", FUSION], curves["A2", FUSION]
    assert (first["role"], first["sample_id"], first["known_copies"]) == ("std", "STD-100", 100.0)
    assert first["layout_overrides"] == ["role: export unkn, layout std", "sample_id: export S1, layout STD-100"]
    assert second["known_copies"] == 2000.0
    assert second["layout_overrides"] == ["known_copies: export 1000.0, layout 2000.0"]
    assert curves["A3", "GAPDH"]["layout_overrides"] == []


def test_what_the_layout_only_completes_is_no_contradiction(exported, eac):
    row = exported(three_wells(), columns={"known_copies": [None] * 3})
    curves = by_well(read_curves(row, eac, [LayoutRow("A2", FUSION, known_copies=1e3)]))
    assert curves["A2", FUSION]["known_copies"] == 1e3
    assert curves["A2", FUSION]["layout_overrides"] == []


def test_a_standard_that_the_layout_calls_a_sample_loses_its_known_copies(exported, eac):
    curves = by_well(read_curves(exported(three_wells()), eac, [LayoutRow("A2", FUSION, role="unkn", sample_id="S2")]))
    assert curves["A2", FUSION]["known_copies"] is None


def test_the_only_reaction_of_a_well_is_renamed_by_its_target_in_the_layout(exported, eac):
    curves = by_well(read_curves(exported(three_wells()), eac, [LayoutRow("A3", CONTROL)]))
    assert curves["A3", CONTROL]["layout_overrides"] == ["target: export GAPDH, layout ABL1"]


def test_a_reaction_of_a_shared_well_is_renamed_by_its_dye(exported, eac):
    layout = [LayoutRow("A1", CONTROL, dye="FAM", sample_id="S9"), LayoutRow("A1", FUSION, dye="VIC")]
    curves = by_well(read_curves(exported(duplex_wells()), eac, layout))
    assert curves["A1", CONTROL]["dye"] == "FAM"
    assert curves["A1", FUSION]["dye"] == "VIC"
    assert curves["A1", CONTROL]["sample_id"] == "S9"
    assert curves["A1", FUSION]["sample_id"] == "S1"
    assert curves["A2", FUSION]["dye"] == "FAM"


def test_where_the_export_names_no_dye_the_layout_names_the_channel(tmp_path, eac):
    plate = simulate_run(duplex_wells(), seed=31, kinetics=DUPLEX, optics=Optics(passive_reference=False))
    write_lc480_txt(plate, tmp_path / "raw.txt", cp_tables=False)
    layout = [LayoutRow("A1", CONTROL, dye="533-580", sample_id="S9"), LayoutRow("A1", FUSION, dye="465-510")]
    curves = by_well(read_curves(RunRow("R1", "LAB1", str(tmp_path / "raw.txt"), "eac", "R1"), eac, layout))
    assert curves["A1", CONTROL]["sample_id"] == "S9"
    assert curves["A1", FUSION]["layout_overrides"] == ["target: export 465-510, layout BCR::ABL1"]


def test_a_layout_row_without_target_and_dye_speaks_of_the_whole_well(exported, eac):
    curves = by_well(read_curves(exported(duplex_wells()), eac, [LayoutRow("A1", sample_id="S9")]))
    assert {curves["A1", target]["sample_id"] for target in (FUSION, CONTROL)} == {"S9"}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (LayoutRow("B7", FUSION), r"layout l\.tsv, well B7: found target BCR::ABL1, dye –; expected .*raw file: none"),
        (LayoutRow("A1", "GUSB"), r"well A1: found target GUSB, dye –; expected .*BCR::ABL1 \(FAM\)"),
        (LayoutRow("A1", FUSION, dye="HEX"), "well A1: found target BCR::ABL1, dye HEX.*Name the dye to rename"),
    ],
)
def test_a_layout_that_names_what_the_file_does_not_hold_is_refused(row, text, exported, eac):
    with pytest.raises(RunError, match=text):
        read_curves(exported(duplex_wells(), layout="l.tsv"), eac, [row])


def test_every_lost_layout_row_is_told_at_once(exported, eac):
    layout = [LayoutRow("B7", FUSION), LayoutRow("B8", FUSION)]
    with pytest.raises(RunError) as caught:
        read_curves(exported(duplex_wells(), layout="l.tsv"), eac, layout)
    assert len(caught.value.problems) == 2


def test_a_target_twice_in_a_well_is_refused(exported, eac):
    with pytest.raises(RunError, match="well A1: found target BCR::ABL1 more than once; expected each target once"):
        read_curves(exported(duplex_wells()), eac, [LayoutRow("A1", "BCR-ABL1", dye="VIC")])


def test_two_runs_in_one_file_ask_for_the_part(exported, eac):
    wells = [Reaction(well, FUSION, "unkn", well, 1e4) for well in ("A1", "A2")]
    row = exported(wells, columns={"part": ["Monday", "Tuesday"], "well": ["A1", "A1"]})
    with pytest.raises(
        RunError, match=r"found target BCR::ABL1 more than once.*name one of Monday, Tuesday in column part"
    ):
        read_curves(row, eac)
    assert read_curves(replace(row, part="Tuesday"), eac)["sample_id"].to_pylist() == ["A2"]


def test_a_table_with_a_column_map_is_read_by_it(tmp_path, eac):
    (tmp_path / "plate.csv").write_text("Well,Gene,Type,1,2,3\nA1,ABL1,NTC,1,1,2\n")
    column_map = "fields: {well: Well, target: Gene, role: Type}\nlayout: row_per_well\nstage: normalised\ncycles: {}\n"
    (tmp_path / "own.yaml").write_text(column_map)
    row = RunRow("R1", "L", str(tmp_path / "plate.csv"), "eac", "R1", column_map=str(tmp_path / "own.yaml"))
    (curve,) = read_curves(row, eac).to_pylist()
    assert (curve["well"], curve["target"], curve["role"], curve["stage"]) == ("A1", CONTROL, "ntc", "normalised")
    assert curve["fluorescence"] == [1.0, 1.0, 2.0]


def test_a_folder_is_read_as_one_run(exported, eac, tmp_path):
    row = exported(three_wells())
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "plate.csv").write_text("Well,Gene,Type,1,2,3\nA1,ABL1,NTC,1,1,2\n")
    column_map = "fields: {well: Well, target: Gene, role: Type}\nlayout: row_per_well\nstage: raw\ncycles: {}\n"
    (tmp_path / "folder" / "plate.csv.columns.yaml").write_text(column_map)
    table = read_curves(replace(row, raw_file=str(tmp_path / "folder")), eac)
    assert table.num_rows == 1
    assert table["raw_file"].to_pylist() == [str(tmp_path / "folder")]


def test_a_missing_raw_file_is_named(eac):
    row = RunRow("R1", "LAB1", "raw/nowhere.rdml", "eac", "R1")
    with pytest.raises(
        FileError, match=r"run R1, column raw_file: found raw/nowhere\.rdml; expected a file or folder that exists"
    ):
        read_curves(row, eac)


@pytest.mark.real_data
def test_a_real_export_gives_the_detections_and_the_slope_of_its_vendor(real_data, eac):
    """RNase P plate of a StepOne: 5 standards and 2 unknowns in replicates, 3 waters."""
    row = RunRow("R1", "LAB1", str(real_data("rdml", "stepone_std.rdml")), "eac", "R1")
    reactions = fit_cq(read_curves(row, eac), replace(eac, threshold=None, baseline=None)).to_pylist()
    vendor = {each["well"]: each["vendor_cq"] for each in read_curves(row, eac).to_pylist()}
    assert len(reactions) == 24
    assert all((each["call"] == "amplified") == (vendor[each["well"]] is not None) for each in reactions)
    found = [each for each in reactions if each["role"] == "std"]
    ours, theirs = (
        fit_standard_curve(cq, [each["known_copies"] for each in found]).slope
        for cq in ([each["cq"] for each in found], [vendor[each["well"]] for each in found])
    )
    assert ours == pytest.approx(theirs, abs=0.05)


# -- fit --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plate_table(tmp_path_factory, eac):
    """Curves of a plate with standards, blanks and two samples; and its truth by well."""
    folder = tmp_path_factory.mktemp("plate")
    plate = sample_plate([Sample("S1", 500, 5e4), Sample("S2", 0, 5e4)])
    run = simulate_run(plate, seed=32)
    write_rdml(run, folder / "raw.rdml")
    row = RunRow("R1", "LAB1", str(folder / "raw.rdml"), "eac", "R1")
    return read_curves(row, eac), {row["well"]: row["drawn_copies"] for row in run.truth.to_pylist()}


def test_every_reaction_with_template_amplifies_and_no_other(plate_table, eac):
    curves, drawn = plate_table
    cq = fit_cq(curves, eac)
    assert cq.schema.equals(CQ.schema)
    assert cq.num_rows == curves.num_rows
    for row in cq.to_pylist():
        assert (row["call"] == "amplified") == (drawn[row["well"]] > 0), row["well"]
        assert (row["cq"] is None) == (row["call"] == "not_amplified")
        assert row["cq_method"] == "threshold"


def test_the_threshold_of_the_protocol_is_used_on_rn(plate_table, eac):
    curves, _ = plate_table
    rows = fit_cq(curves, eac).to_pylist()
    assert {row["threshold"] for row in rows} == {0.1}
    assert {row["baseline_start"] for row in rows} == {3.0}
    assert max(row["plateau"] for row in rows if row["call"] == "amplified") < 10  # Rn, not dye signal


def test_the_method_of_the_protocol_decides_which_estimator_is_the_cq(plate_table, eac):
    curves, _ = plate_table
    for method in METHODS:
        rows = fit_cq(curves, replace(eac, cq_method=method)).to_pylist()
        assert all(row["cq"] == row[f"cq_{method}"] and row["cq_sd"] == row[f"cq_{method}_sd"] for row in rows)
        assert all(0 < row["cq_sd"] < 0.5 for row in rows if row["call"] == "amplified")


def test_a_laboratory_may_move_the_cuts_of_the_call(plate_table, eac):
    curves, _ = plate_table
    shipped = fit_cq(curves, eac).to_pylist()
    strict = fit_cq(curves, replace(eac, call_limits={"rise_per_noise": (500.0, 1e9)})).to_pylist()
    assert {row["call"] for row in shipped} >= {"amplified", "not_amplified"}
    for row, stricter in zip(shipped, strict, strict=True):
        assert stricter["call"] == ("ambiguous" if row["score_rise_per_noise"] >= 500 else "not_amplified") or (
            row["call"] == "not_amplified"
        )


def test_fit_parameters_reproduce_the_measured_curve(plate_table, eac):
    curves, _ = plate_table
    for row in fit_cq(curves, eac).to_pylist()[:12]:
        c, d, s, e, f = row["fit_parameters"]
        mask = (np.array(curves["well"].to_pylist()) == row["well"]) & (
            np.array(curves["target"].to_pylist()) == row["target"]
        )
        own = curves.filter(pa.array(mask))
        cycles = list_values(own["cycles"])[0]
        rn = (list_values(own["fluorescence"]) / list_values(own["passive_reference"]))[0]
        fitted = c + d * (1 + np.exp(-s * (cycles - e))) ** -f
        assert ((rn - fitted) ** 2).sum() == pytest.approx(row["rss"], rel=1e-4)


def test_the_order_of_the_rows_changes_no_cq(plate_table, eac):
    curves, _ = plate_table
    plain = {(row["target"], row["well"]): row for row in fit_cq(curves, eac).to_pylist()}
    shuffled = curves.take(np.random.default_rng(3).permutation(curves.num_rows))
    assert {(row["target"], row["well"]): row for row in fit_cq(shuffled, eac).to_pylist()} == plain


def test_no_curves_give_no_rows(eac):
    assert fit_cq(CURVES.empty(), eac).num_rows == 0


def test_without_a_passive_reference_the_dye_signal_is_analysed(exported, eac):
    table = read_curves(exported(three_wells(), optics=Optics(passive_reference=False)), eac)
    assert table["passive_reference"].null_count == 3
    rows = fit_cq(table, replace(eac, threshold=None)).to_pylist()
    assert min(row["plateau"] for row in rows) > 1000


def test_a_protocol_that_ignores_the_passive_reference_analyses_the_dye_as_exported(exported, eac):
    curves = read_curves(exported(three_wells()), eac)
    assert curves["passive_reference"].null_count == 0
    used, ignored = (
        fit_cq(curves, replace(eac, passive_reference=rule, threshold=None)) for rule in ("if_present", "ignored")
    )
    dye = list_values(curves["fluorescence"])
    assert max(used["plateau"].to_pylist()) < 10  # Rn
    assert max(ignored["plateau"].to_pylist()) > 0.5 * (dye.max() - dye.min())  # a.u. of the dye


def test_the_digest_of_a_run_is_that_of_the_bytes_it_was_read_from(exported, eac, monkeypatch):
    row = exported(three_wells())
    digest = file_digest(row.raw_file)
    import bcrabl.formats.registry as registry

    recognise = registry.recognise

    def recognise_while_the_file_is_replaced(source):
        Path(row.raw_file).write_bytes(b"another plate")
        return recognise(source)

    monkeypatch.setattr(registry, "recognise", recognise_while_the_file_is_replaced)
    assert set(read_curves(row, eac)["raw_sha256"].to_pylist()) == {digest}
