"""MxPro: raw text with its report, charts and documents; what is read from them and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import mxpro_builders as build
import numpy as np
import pytest
from format_builders import zipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xls_builder import xls

from bcrabl.errors import BcrablError, DamagedFile, FormatNotRecognised, FormatRefused
from bcrabl.formats import read_run
from bcrabl.formats.isolated import in_own_process
from bcrabl.formats.stratagene import mxp
from bcrabl.run import Run

RAW, REPORT = "run - Instrument Data - Text Format 1.txt", "run - Text Report Data.txt"


def read(tmp_path: Path, raw: str | None = None, report: str | None = None, encoding: str = "cp1252") -> Run:
    """The run of a raw text, with a report beside it where one is given."""
    (tmp_path / RAW).write_bytes((build.raw_text() if raw is None else raw).encode(encoding))
    if report is not None:
        (tmp_path / REPORT).write_bytes(report.encode(encoding))
    return read_run(tmp_path / RAW)


def read_document(tmp_path: Path, content: bytes) -> Run:
    path = tmp_path / "run.mxp"
    path.write_bytes(content)
    return read_run(path)


def by_well(run: Run) -> dict[str, dict[str, object]]:
    return {str(row["well"]): row for row in run.reactions.to_pylist()}


# --- raw text ---


def test_wells_count_along_the_rows_of_the_plate_and_the_dye_column_holds_the_assay(tmp_path):
    run = read(tmp_path)
    assert run.reactions["well"].to_pylist() == ["A1", "A2", "A3", "B1", "B2"]
    assert set(run.reactions["target"].to_pylist()) == {"ABL1"}
    assert run.reactions["dye"].to_pylist() == [None] * 5


def test_the_curves_are_those_of_the_plateau_that_cycles_and_not_the_ramp(tmp_path):
    run = read(tmp_path)
    assert run.stage == "raw"
    assert run.cycles.tolist() == list(range(1, build.CYCLES + 1))
    assert run.fluorescence.tolist() == [list(map(float, curve)) for curve in build.CURVES.values()]


def test_a_plateau_of_fewer_cycles_before_the_amplification_is_left_out(tmp_path):
    touchdown = [f" 1\tP\t 2\t 1\tABL1\t{cycle}\t  999\t70,0" for cycle in (1, 2, 3)]
    assert read(tmp_path, build.raw_text(more=touchdown)).fluorescence.min() > 999


def test_two_plateaus_read_in_every_cycle_are_refused(tmp_path):
    second = [f" 2\tP\t 3\t 1\tABL1\t{cycle}\t  999\t72,0" for cycle in range(1, build.CYCLES + 1)]
    with pytest.raises(DamagedFile, match=r"segment 2, plateau 2: 12 cycles; segment 2, plateau 3: 12 cycles"):
        read(tmp_path, build.raw_text(more=second))


def test_a_file_of_melting_only_has_no_amplification(tmp_path):
    lines = [line for line in build.raw_text().splitlines() if not line.startswith(" 2")]
    with pytest.raises(DamagedFile, match="one plateau that is read in every cycle"):
        read(tmp_path, "\r\n".join(lines))


def test_two_assays_of_one_well_are_two_reactions(tmp_path):
    second = build.raw_text(assay="BCR::ABL1").splitlines()[2:]
    run = read(tmp_path, build.raw_text(more=second))
    assert run.reactions.num_rows == 10
    assert run.reactions["target"].to_pylist()[:2] == ["ABL1", "BCR::ABL1"]


@pytest.mark.parametrize("well", ["0", "97", "A1", "1.5"])
def test_a_well_outside_the_plate_is_named_with_its_line(tmp_path, well):
    text = build.raw_text({1: build.curve(5)}).replace("\t 1\tABL1", f"\t{well}\tABL1")
    with pytest.raises(DamagedFile, match=r"line 3, column Well: found '.*'; expected a well from 1 to 96"):
        read(tmp_path, text)


def test_a_reading_that_is_no_number_is_named_with_its_line(tmp_path):
    with pytest.raises(DamagedFile, match="line 3, column Fluorescence: found 'x'"):
        read(tmp_path, build.raw_text({1: [1, *build.curve(5)[1:]]}).replace("        1\t", "        x\t", 1))


def test_a_reading_that_stands_twice_is_refused(tmp_path):
    again = [" 2\tP\t 2\t 1\tABL1\t  1\t 7000\t59,7"]
    with pytest.raises(DamagedFile, match=r"a second reading of A1, ABL1 in cycle 1"):
        read(tmp_path, build.raw_text(more=again))


def test_without_a_report_all_are_unknown_samples_and_the_run_says_so(tmp_path):
    run = read(tmp_path)
    assert set(run.reactions["role"].to_pylist()) == {"unkn"}
    assert "no text report beside the curves" in run.warnings[0]


# --- the report beside it ---


def test_the_report_says_who_is_in_the_wells(tmp_path):
    wells = by_well(read(tmp_path, report=build.report()))
    assert {well: row["role"] for well, row in wells.items()} == {
        "A1": "std",
        "A2": "std",
        "A3": "ntc",
        "B1": "unkn",
        "B2": "unkn",
    }
    assert wells["A1"]["known_copies"] == wells["A1"]["vendor_quantity"] == 10_000
    assert (wells["A1"]["vendor_quantity_unit"], wells["A1"]["dye"], wells["A1"]["sample_id"]) == (
        "copies",
        "FAM",
        "S4",
    )
    assert (wells["B1"]["known_copies"], wells["B1"]["vendor_quantity"]) == (None, 12.5)
    assert wells["B2"]["sample_id"] is None


def test_no_ct_and_dashes_are_no_ct_and_kept_as_said(tmp_path):
    wells = by_well(read(tmp_path, report=build.report()))
    said = {well: (row["vendor_cq"], row["vendor_cq_text"]) for well, row in wells.items()}
    assert said == {
        "A1": (5.52, None),
        "A2": (6.02, None),
        "A3": (None, "No Ct"),
        "B1": (11.5, None),
        "B2": (None, "---"),
    }
    assert wells["A1"]["vendor_threshold"] == 100.5


@pytest.mark.parametrize("kind", ["Ct (R)", "Ct (dR)", "Ct (Rn)", "Ct (dRn)"])
def test_every_kind_of_ct_column_is_read(tmp_path, kind):
    report = build.report(header=(*build.REPORT_HEADER, kind))
    assert by_well(read(tmp_path, report=report))["A1"]["vendor_cq"] == 5.52


def test_the_run_is_the_same_from_a_folder_a_zip_and_the_report(tmp_path):
    run = read(tmp_path, report=build.report())
    packed = tmp_path / "elsewhere.zip"
    packed.write_bytes(zipped({RAW: build.raw_text(), REPORT: build.report()}))
    others = [read_run(packed), read_run(tmp_path / REPORT)]
    packed.unlink()
    others.append(read_run(tmp_path))
    for other in others:
        assert other.reactions == run.reactions
        assert np.array_equal(other.fluorescence, run.fluorescence)


def test_a_unit_other_than_copies_gives_no_known_copies(tmp_path):
    header = [name.replace("copies", "ng") for name in (*build.REPORT_HEADER, "Ct (dR)")]
    run = read(tmp_path, report=build.report(header=header))
    assert by_well(run)["A1"]["known_copies"] is None
    assert by_well(run)["A1"]["vendor_quantity_unit"] == "ng"
    assert "2 standard reactions carry no quantity in copies" in run.warnings[-1]


def test_a_quantity_without_unit_counts_as_copies_with_a_warning(tmp_path):
    header = [name.replace(" (copies)", "") for name in (*build.REPORT_HEADER, "Ct (dR)")]
    run = read(tmp_path, report=build.report(header=header))
    assert by_well(run)["A1"]["known_copies"] == 10_000
    assert "carry no unit" in run.warnings[-1]


def test_a_standard_of_quantity_zero_is_refused(tmp_path):
    with pytest.raises(DamagedFile, match="a standard of quantity 0"):
        read(tmp_path, report=build.report().replace("1,00e+03", "0"))


def test_a_well_type_that_is_not_known_is_refused_with_its_place(tmp_path):
    with pytest.raises(DamagedFile, match="line 5, column Well Type: found well type 'Mystery'"):
        read(tmp_path, report=build.report().replace("\tUnknown", "\tMystery", 1))


def test_a_reaction_of_the_report_without_a_curve_is_named(tmp_path):
    held = {well: curve for well, curve in build.CURVES.items() if well != 14}
    run = read(tmp_path, build.raw_text(held), build.report())
    assert "1 reactions have no amplification curve and were left out: well B2, target ABL1" in run.warnings[-1]


def test_a_curve_that_the_report_does_not_name_is_read_and_told(tmp_path):
    run = read(tmp_path, report=build.report(build.REPORT_ROWS[:-1]))
    assert run.reactions.num_rows == 5
    assert run.warnings[-1] == "1 curves are not in the text report, well B2 among them."


def test_the_report_alone_is_refused_with_what_to_export(tmp_path):
    (tmp_path / REPORT).write_text(build.report())
    with pytest.raises(FormatRefused, match=r"text report of MxPro without the curves.*Text Format 1"):
        read_run(tmp_path / REPORT)


def test_two_reports_for_one_run_are_refused(tmp_path):
    read(tmp_path, report=build.report())
    (tmp_path / "other.txt").write_text(build.report())
    with pytest.raises(DamagedFile, match="2 files with a text report"):
        read_run(tmp_path)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    encoding=st.sampled_from(["cp1252", "utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\r\n", "\n", "\r"]),
    decimal=st.sampled_from([",", "."]),
    blanks=st.lists(st.integers(2, 60), max_size=4),
    order=st.permutations(range(8)),
)
def test_encoding_line_ends_decimal_mark_blank_lines_and_order_of_columns_change_nothing(
    tmp_path, encoding, end, decimal, blanks, order
):
    plain = read(tmp_path, report=build.report())
    lines = build.raw_text(decimal=decimal).splitlines()
    lines[1:] = ["\t".join(line.split("\t")[place] for place in order) for line in lines[1:]]
    for blank in blanks:
        lines.insert(blank, "")
    report = build.report().replace(",", decimal).replace("\r\n", end)
    mangled = read(tmp_path, end.join(lines), report, encoding)
    assert mangled.reactions == plain.reactions
    assert np.array_equal(mangled.fluorescence, plain.fluorescence)


# --- charts ---


@pytest.mark.parametrize(
    ("kind", "stage"),
    [
        ("Fluorescence (R)", "raw"),
        ("Fluorescence (Rn)", "normalised"),
        ("Fluorescence (dR)", "baseline_subtracted"),
        ("Fluorescence (dRn)", "baseline_subtracted"),
        ("Fluorescence", "baseline_subtracted"),
    ],
)
def test_a_chart_says_by_its_title_how_far_its_curves_are_processed(tmp_path, kind, stage):
    (tmp_path / "chart.xls").write_bytes(build.chart(kind))
    run = read_run(tmp_path / "chart.xls")
    assert run.stage == stage
    assert run.reactions["well"].to_pylist() == ["A1", "B2"]
    assert run.fluorescence[0].tolist() == [value / 10 for value in build.CURVES[1]]
    assert "met no real file" in run.warnings[0]


@pytest.mark.parametrize(
    ("row", "found"),
    [(["", "", 3.0, "x"], "3, x"), (["", "", 1.0, 5.0], "cycle 1 more than once"), (["footer"], "footer")],
)
def test_a_row_of_a_chart_that_is_no_reading_is_refused(tmp_path, row, found):
    rows = [["A1", "P1", "Cycles", "Fluorescence"], ["", "", 1.0, 5.0], ["", "", 2.0, 5.0], row]
    (tmp_path / "chart.xls").write_bytes(xls({"Sheet1": rows}))
    with pytest.raises(DamagedFile, match=found):
        read_run(tmp_path / "chart.xls")


# --- documents ---


def test_a_document_gives_the_same_curves_as_the_text_of_the_run(tmp_path):
    document, text = read_document(tmp_path, build.document()), read(tmp_path)
    assert np.array_equal(document.fluorescence, text.fluorescence)
    assert document.reactions["well"].to_pylist() == text.reactions["well"].to_pylist()
    assert document.reactions["target"].to_pylist() == text.reactions["target"].to_pylist()
    assert (document.metadata["instrument"], document.metadata["run_date"]) == ("Mx3000P", "2015-04-17")
    assert document.metadata["software"] == "MxPro - Mx3000P v4.10 Build 389"


def test_a_document_says_the_type_of_its_wells(tmp_path):
    types = dict(zip(build.CURVES, ("Standard", "NTC", "Unknown", "Unknown", "Unknown"), strict=True))
    run = read_document(tmp_path, build.document(types=types))
    assert run.reactions["role"].to_pylist() == ["std", "ntc", "unkn", "unkn", "unkn"]
    assert "The copies of 1 standard reactions are unknown." in run.warnings


def test_a_document_with_several_readings_in_a_cycle_is_refused(tmp_path):
    curves = dict(zip(build.CURVES, (build.curve(6, 40) for _ in build.CURVES), strict=True))
    with pytest.raises(DamagedFile, match=r"do not follow each other by cycle.*Text Format 1"):
        read_document(tmp_path, build.document(curves, stride=18))


def test_a_document_whose_wells_in_use_are_not_clear_is_refused(tmp_path):
    types = dict.fromkeys([1, 2, 3, 13, 20], "Unknown")
    with pytest.raises(DamagedFile, match="some have a type and others a name"):
        read_document(tmp_path, build.document(types=types))


def test_a_document_without_the_library_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("bcrabl.formats.stratagene.mxp.in_own_process", lambda *_: {"problem": "missing library"})
    with pytest.raises(FormatRefused, match=r"library mxp .* not installed.*pip install bcrabl\[mxp\].*Text Format 1"):
        read_document(tmp_path, build.document())


def test_a_broken_document_is_damaged(tmp_path):
    with pytest.raises(DamagedFile, match="an MxPro document that cannot be read"):
        read_document(tmp_path, build.document()[:-512])


def test_another_ole_container_is_no_document_of_mxpro(tmp_path):
    other = build.ole_of_storages({5: b"x", 6: b"y"})
    with pytest.raises(FormatNotRecognised):
        read_document(tmp_path, other)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of memory are not set there")
def test_a_library_that_prints_or_reserves_much_does_no_harm(tmp_path):
    content = build.document()
    script = Path(mxp.__file__).with_name("isolated_mxp.py")
    answer = in_own_process(script, content, "run.mxp", "an MxPro document")
    assert len(answer["curves"]) == 5
    with pytest.raises(BcrablError):
        in_own_process(script, content[:600], "run.mxp", "an MxPro document")


# --- real files ---


@pytest.mark.real_data
def test_the_document_and_the_text_of_a_real_run_agree_in_all_3840_readings(real_data):
    text = read_run(real_data("mxpro_txt", "3000 - Instrument Data - Text Format 1.txt"))
    document = read_run(real_data("mxpro_txt", "3000.mxp"))
    assert text.fluorescence.shape == (96, 40)
    assert int((document.fluorescence == text.fluorescence).sum()) == 3840
    for column in ("well", "target", "sample_id", "role"):
        assert document.reactions[column] == text.reactions[column]


@pytest.mark.real_data
def test_the_96_ct_of_a_real_report_stand_beside_the_curves(real_data):
    run = read_run(real_data("mxpro_txt", "3000 - Instrument Data - Text Format 1.txt"))
    report = real_data("mxpro_txt", "3000 - Text Report Data.txt").read_text(encoding="cp1252").splitlines()[1:]
    expected = {cells[0]: float(cells[5].replace(",", ".")) for cells in (line.split("\t") for line in report)}
    found = dict(zip(run.reactions["well"].to_pylist(), run.reactions["vendor_cq"].to_pylist(), strict=True))
    assert found == expected
    assert len(found) == 96
    assert set(run.reactions["dye"].to_pylist()) == {"SYBR"}
