"""Tables with a column map: every layout gives the same run, and what the map does not say is never guessed."""

from __future__ import annotations

import copy
import csv
import json
import shutil

import numpy as np
import pytest
import yaml
from format_builders import rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mapped_builders import (
    COPIES,
    CYCLES,
    SAMPLES,
    WELLS,
    as_yaml,
    column_map,
    column_rows,
    long_map,
    long_rows,
    parquet,
    passive,
    row_map,
    row_rows,
    samples,
    signal,
    spreadsheet,
    text,
)

from bcrabl.errors import BcrablError, DamagedFile, FileError
from bcrabl.formats import RawFile, read_run, recognise
from bcrabl.raw_files import files_of_run

LAYOUTS = {"long": (long_rows, long_map), "columns": (column_rows, column_map), "rows": (row_rows, row_map)}


@pytest.fixture
def reader(tmp_path):
    """Writes a table and its map, and reads it."""

    def read(content, document, name="plate.csv", **options):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else text(content))
        (tmp_path / f"{name}.columns.yaml").write_bytes(as_yaml(document))
        return read_run(tmp_path / name, **options)

    return read


def changed(document, **fields):
    """A map with some of its fields changed; None takes one away."""
    document = copy.deepcopy(document)
    document["fields"] = {name: value for name, value in (document["fields"] | fields).items() if value is not None}
    return document


def agree(run, other):
    assert rows(run) == rows(other)
    assert np.array_equal(run.fluorescence, other.fluorescence, equal_nan=True)
    assert np.array_equal(run.cycles, other.cycles)


# --- what is read ---


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_reactions_and_curves(layout, reader):
    table, described = LAYOUTS[layout]
    run = reader(table(), described())
    assert [row["well"] for row in rows(run)] == list(WELLS)
    assert rows(run)[0] == {
        "part": None,
        "well": "A1",
        "target": "ABL1",
        "dye": "FAM",
        "role": "std",
        "sample_id": "STD-1000",
        "known_copies": 1000.0,
        "vendor_cq": 5.25,
        "vendor_cq_text": None,
        "vendor_call": None,
        "vendor_threshold": None,
        "vendor_baseline_start": None,
        "vendor_baseline_end": None,
        "vendor_task": "Standard",
        "vendor_quantity": 1000.0,
        "vendor_quantity_unit": "copies",
        "vendor_omitted": None,
    }
    assert [(row["role"], row["known_copies"]) for row in rows(run)] == [
        ("std", 1000.0),
        ("std", 10.0),
        ("unkn", None),
        ("ntc", None),
    ]
    assert (rows(run)[3]["vendor_cq"], rows(run)[3]["vendor_cq_text"]) == (None, "Undetermined")
    assert run.cycles.tolist() == list(CYCLES)
    assert run.fluorescence.tolist() == [[signal(well, cycle) for cycle in CYCLES] for well in WELLS]
    assert run.stage == "raw"
    assert run.warnings == ()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["xlsx", "parquet", "tsv", "comma"])
def test_containers_and_decimal_marks_make_no_difference(layout, kind, reader):
    table, described = LAYOUTS[layout]
    content = {
        "xlsx": lambda: spreadsheet(table()),
        "parquet": lambda: parquet(table()),
        "tsv": lambda: text(table(), "\t"),
        "comma": lambda: text(table(","), ";"),
    }[kind]()
    agree(reader(content, described(), name="table"), reader(table(), described()))


def test_the_passive_reference_stands_beside_the_raw_signal(reader):
    run = reader(long_rows(), long_map())
    assert run.passive_reference.tolist() == [[passive(cycle) for cycle in CYCLES]] * len(WELLS)
    assert run.metadata["run_date"] == "2026-03-31"


def test_a_map_is_named_or_lies_beside_the_table_and_both_are_in_the_digest(tmp_path):
    table, described = tmp_path / "plate.csv", tmp_path / "other.yaml"
    table.write_bytes(text(column_rows()))
    described.write_bytes(as_yaml(column_map()))
    named = read_run(table, column_map=described)
    shutil.copy(described, tmp_path / "plate.csv.columns.yaml")
    beside = read_run(table)
    agree(named, beside)
    described.write_bytes(as_yaml(column_map(instrument="Mic")))
    again = read_run(table, column_map=described)
    assert again.metadata["instrument"] == "Mic"
    assert again.metadata["sha256"] != named.metadata["sha256"]
    assert files_of_run(table, described) == [table, described]


def test_a_file_with_a_map_is_read_by_it_whatever_it_resembles(tmp_path):
    header = ["Well", "Sample", "Sample Type", "Target", "Target Type", "Dye", "1", "2"]
    (tmp_path / "t.tsv").write_bytes(text([header, ["A1", "S", "unkn", "ABL1", "ref", "FAM", "1.5", "2.5"]], "\t"))
    assert recognise(RawFile.from_path(tmp_path / "t.tsv")).name == "RDES"
    own = {
        "layout": "row_per_well",
        "stage": "normalised",
        "fields": {"well": "Well", "target": "Target"},
        "cycles": {},
    }
    (tmp_path / "t.tsv.columns.yaml").write_bytes(as_yaml(own))
    run = read_run(tmp_path / "t.tsv")
    assert (run.stage, run.metadata["format"]) == ("normalised", "table with a column map")


def test_a_folder_holds_the_table_that_its_map_names(tmp_path):
    (tmp_path / "plate.csv").write_bytes(text(column_rows()))
    (tmp_path / "notes.txt").write_bytes(b"bench notes")
    (tmp_path / "plate.csv.columns.yaml").write_bytes(as_yaml(column_map()))
    run = read_run(tmp_path)
    assert len(rows(run)) == len(WELLS)
    assert any("does not describe were not read: notes.txt" in warning for warning in run.warnings)


def test_parts_are_told_apart_and_one_can_be_asked_for(reader):
    table = [["Plate", *long_rows()[0]]]
    table += [[plate, *row] for plate in ("one", "two") for row in long_rows()[1:]]
    described = changed(long_map(), part="Plate")
    both = reader(table, described)
    assert [row["part"] for row in rows(both)] == ["one"] * 4 + ["two"] * 4
    assert [row["part"] for row in rows(reader(table, described, part="two"))] == ["two"] * 4
    with pytest.raises(FileError, match="part 'three' asked for; expected one of one, two"):
        reader(table, described, part="three")


def test_quantities_that_are_no_copies_are_kept_and_make_no_copies(reader):
    run = reader(column_rows(), column_map(quantity_unit="ng"))
    assert [row["vendor_quantity"] for row in rows(run)] == [1000.0, 10.0, None, None]
    assert {row["known_copies"] for row in rows(run)} == {None}
    assert any("are in ng, not in copies" in warning for warning in run.warnings)


def test_a_number_that_stands_for_no_cq_is_none(reader):
    table = long_rows()
    for row in table[-len(CYCLES) :]:
        row[5] = "12.0"
    assert rows(reader(table, long_map()))[3]["vendor_cq"] == 12.0
    row = rows(reader(table, long_map(no_cq=[12])))[3]
    assert (row["vendor_cq"], row["vendor_cq_text"]) == (None, "12.0")


def test_wells_are_given_in_order_only_if_the_map_says_so_and_with_a_warning(reader):
    described = column_map(pattern="{any}_{target}", wells="in_order_of_columns", plate=96)
    run = reader(column_rows(), described)
    assert [(row["well"], row["sample_id"]) for row in rows(run)] == [
        (f"A{place}", SAMPLES[well]) for place, well in enumerate(WELLS, 1)
    ]
    assert any("given in order" in warning for warning in run.warnings)
    with pytest.raises(FileError, match=r"no well; expected the well.*wells: in_order_of_columns"):
        reader(column_rows(), column_map(pattern="{any}_{target}"))


def test_roles_that_nobody_states_are_unknown_samples_with_a_warning(reader):
    described = changed(long_map(), role=None, quantity=None)
    run = reader(long_rows(), described)
    assert {row["role"] for row in rows(run)} == {"unkn"}
    assert any("roles" in warning for warning in run.warnings)


def test_curves_without_a_target_and_targets_without_a_curve_are_left_out_and_named(reader):
    table = [["Gene", *row] if place == 0 else ["ABL1", *row] for place, row in enumerate(long_rows())]
    for row in table[1 : 1 + len(CYCLES)]:
        row[0] = ""
    for row in table[-len(CYCLES) :]:
        row[7] = "NA"
    run = reader(table, changed(long_map(), target="Gene"))
    assert [row["well"] for row in rows(run)] == ["A2", "B1"]
    assert any("1 curves have no target and were left out: well A1" in warning for warning in run.warnings)
    assert any("well B2" in warning for warning in run.warnings)


def test_a_baseline_subtracted_table_says_so(reader):
    run = reader(column_rows(), column_map(stage="baseline_subtracted"))
    assert run.stage == "baseline_subtracted"
    assert any("baseline-subtracted" in warning for warning in run.warnings)


# --- what is refused, with its place ---


@pytest.mark.parametrize(
    ("cell", "value", "message"),
    [
        ((5, 6), "n/d", r"plate.csv, line 6, column FAM: found 'n/d'; expected a number"),
        ((5, 1), "x", r"plate.csv, line 6, column Cycle: found 'x'; expected a number"),
        ((5, 1), "1.5", r"plate.csv, line 6, column Cycle: found cycle 1.5"),
        ((5, 1), "", r"plate.csv, line 6, column Cycle: found a reading of no cycle"),
        ((5, 1), "4", r"line 6, column Cycle: found a second reading of A1, .*in cycle 4"),
        ((1, 0), "well 1", r"line 2, column Well: found 'well 1'; expected a well"),
        ((5, 3), "Unknown", r"line 6, column Task: found 'Unknown', but 'Standard' in line 2; expected one role"),
        ((2, 7), "1,5", r"line 3, column ROX: found '1,5'"),
    ],
)
def test_a_bad_cell_is_named_by_file_row_and_column(cell, value, message, tmp_path):
    table = long_rows()
    table[cell[0]][cell[1]] = value
    (tmp_path / "plate.csv").write_bytes(text(table, "\t"))
    (tmp_path / "plate.csv.columns.yaml").write_bytes(as_yaml(long_map()))
    with pytest.raises(DamagedFile, match=message.replace("A1, .*in", "A1 in")):
        read_run(tmp_path / "plate.csv")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (2, "Blank", r"column Task: found 'Blank'; expected one of .*Add it to role_words in .*Blank: unkn"),
        (2, "", r"column Task: found ''; expected one of"),
        (3, "0", r"column Copies: found a standard of quantity 0; expected a quantity above 0"),
        (3, "many", r"column Copies: found 'many'; expected a number"),
        (4, "none", r"column CT: found 'none'; expected a Cq above 0. Where it stands for no Cq, add it to no_cq"),
        (4, "-1", r"column CT: found '-1'; expected a Cq above 0"),
    ],
)
def test_a_bad_annotation_is_named_by_row_and_column(column, value, message, reader):
    table = row_rows()
    table[1][column] = value
    with pytest.raises(DamagedFile, match=r"plate.csv, line 2, " + message):
        reader(table, row_map())


def test_a_column_that_the_map_names_and_the_table_lacks_is_named_with_the_nearest(reader):
    with pytest.raises(DamagedFile, match=r"line 1: found no column 'FAN'; expected .* Did you mean 'FAM'\?"):
        reader(long_rows(), changed(long_map(), fluorescence="FAN"))


def test_a_column_that_nobody_described_is_an_error_since_it_may_be_a_curve(reader):
    table = [[*row, "0.5" if place else "C7"] for place, row in enumerate(column_rows())]
    with pytest.raises(DamagedFile, match=r"column C7: found 'C7'; expected a column that .* describes"):
        reader(table, column_map())
    assert len(rows(reader(table, column_map(ignore=["C7"])))) == len(WELLS)


def test_a_name_that_can_be_cut_in_two_ways_is_an_error(reader):
    table = [["cycle", "A_B_C"], *([str(cycle), "0.5"] for cycle in CYCLES)]
    described = {
        "layout": "column_per_well",
        "stage": "raw",
        "fields": {"cycle": "cycle", "well": {"constant": "A1"}},
        "pattern": "{target}_{sample}",
    }
    with pytest.raises(DamagedFile, match="column A_B_C: found a name that can be cut in two ways"):
        reader(table, described)


def test_a_pattern_of_many_free_names_is_an_error_since_the_ways_to_cut_multiply(reader):
    described = column_map(pattern="{target}_{sample}_{dye}_{role}_{any}_{well}")
    with pytest.raises(FileError, match="pattern: found 5 names that may be any text; expected at most 4"):
        reader(column_rows(), described)


def test_a_column_that_stands_twice_is_an_error_since_one_curve_would_be_lost(reader):
    table = [[*row, row[1]] for row in column_rows()]
    with pytest.raises(DamagedFile, match="column A1_ABL1: found a name that two columns have"):
        reader(table, column_map())


def test_a_comma_that_may_part_thousands_must_be_explained(reader):
    table = [["cycle;A1_ABL1"], *([f"{cycle};1,{100 + cycle}"] for cycle in CYCLES)]
    described = column_map(columns={"A1_ABL1": {"role": "unkn"}})
    with pytest.raises(DamagedFile, match=r"expected a stated decimal mark. Say in .*table: \{decimal: comma\}"):
        reader(table, described)
    assert reader(table, described | {"table": {"decimal": "comma"}}).fluorescence[0, 0] == 1.101
    assert reader(table, described | {"table": {"decimal": "point"}}).fluorescence[0, 0] == 1101


@pytest.mark.parametrize("layout", LAYOUTS)
def test_decimal_commas_between_commas_are_refused_since_the_cells_shift(layout, reader):
    table, described = LAYOUTS[layout]
    with pytest.raises(
        DamagedFile, match=r"line 2: found \d+ cells, of which those behind cell \d+ stand under no name"
    ):
        reader(text(table(","), ","), described())


def whole_numbers(cq="24.5", copies="1000"):
    """Curves that do not show a decimal mark, with the Cq of all wells and the copies of A1."""
    table = [row[:7] for row in long_rows()]
    for row in table[1:]:
        row[6] = str(round(float(row[6]) * 1000))
        row[5] = cq
        row[4] = copies if row[0] == "A1" else row[4]
    return text(table, ";"), changed(long_map(), passive_reference=None)


def test_a_cq_of_three_decimals_behind_a_comma_is_not_read_as_thousands(reader):
    content, described = whole_numbers(cq="4,512")
    with pytest.raises(DamagedFile, match=r"expected a stated decimal mark"):
        reader(content, described)
    assert rows(reader(content, described | {"table": {"decimal": "comma"}}))[0]["vendor_cq"] == 4.512


def test_a_cq_beyond_the_last_cycle_is_an_error(reader):
    content, described = whole_numbers(cq="24512")
    with pytest.raises(DamagedFile, match=r"line 2, column CT: found '24512'; expected a Cq above 0 and at most 13"):
        reader(content, described)


def test_words_in_the_column_of_cq_stay_what_they_are(reader):
    content, described = whole_numbers(cq="NaN")
    assert rows(reader(content, described | {"no_cq": ["NaN"]}))[0]["vendor_cq_text"] == "NaN"


def test_quantities_that_may_have_thousands_or_decimals_must_be_explained(reader):
    content, described = whole_numbers(cq="7.25", copies="100.000")
    with pytest.raises(
        DamagedFile, match=r"column Copies: found quantities such as 100.000, which may have decimals or"
    ):
        reader(content, described)
    assert rows(reader(content, described | {"table": {"decimal": "point"}}))[0]["known_copies"] == 100.0
    in_germany, _ = whole_numbers(cq="7,25", copies="100.000")
    assert rows(reader(in_germany, described | {"table": {"decimal": "comma"}}))[0]["known_copies"] == 100_000.0


def test_a_comma_among_points_is_no_number(reader):
    table = column_rows()
    table[2][1] = "1,234"
    with pytest.raises(DamagedFile, match="line 3, column A1_ABL1: found '1,234'; expected a number"):
        reader(text(table, ";"), column_map())


def test_a_word_for_a_missing_reading_that_the_map_does_not_know_is_told_with_the_remedy(reader):
    table = column_rows()
    table[2][1] = "#N/A"
    with pytest.raises(DamagedFile, match=r"found '#N/A'; expected a number.* table: \{missing: \[…\]\}"):
        reader(table, column_map())


def test_the_unit_copies_is_known_in_any_case(reader):
    run = reader(long_rows(), long_map(quantity_unit="Copies"))
    assert [row["known_copies"] for row in rows(run)] == [1000.0, 10.0, None, None]
    assert run.warnings == ()


def test_two_maps_in_a_folder_are_an_error_since_one_table_would_be_lost(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(text(column_rows()))
        (tmp_path / f"{name}.columns.yaml").write_bytes(as_yaml(column_map()))
    with pytest.raises(FileError, match=r"found 2 column maps: a.csv.columns.yaml, b.csv.columns.yaml"):
        read_run(tmp_path)


def test_several_sheets_must_be_chosen_from(reader, tmp_path):
    from format_builders import xlsx

    book = xlsx({"Notes": [["a", "b"]], "Data": column_rows()})
    with pytest.raises(DamagedFile, match=r"table.sheet: found 2 sheets; expected one of Notes, Data"):
        reader(book, column_map(), name="t")
    with pytest.raises(DamagedFile, match=r"found no sheet 'data'.* Did you mean 'Data'"):
        reader(book, column_map(table={"sheet": "data"}), name="t")
    assert len(rows(reader(book, column_map(table={"sheet": "Data"}), name="t"))) == len(WELLS)


def test_cycles_that_no_column_holds_are_an_error(reader):
    table = [row[:7] + row[8:] for row in row_rows()]
    with pytest.raises(DamagedFile, match="found no column of cycle 3"):
        reader(table, row_map())
    with pytest.raises(DamagedFile, match="found no column 'C14'"):
        reader(row_rows(), row_map(cycles={"pattern": "C{cycle}", "last": 14}))


def test_more_curves_than_wells_are_an_error(reader):
    names = [f"x{place}" for place in range(97)]
    table = [["cycle", *names], *([str(cycle), *["0.5"] * 97] for cycle in CYCLES)]
    described = {
        "layout": "column_per_well",
        "stage": "raw",
        "fields": {"cycle": "cycle", "target": {"constant": "ABL1"}},
        "pattern": "x{replicate}",
        "wells": "in_order_of_columns",
        "plate": 96,
    }
    with pytest.raises(DamagedFile, match="found 97 curves; expected at most 96 on a plate"):
        reader(table, described)


def test_what_is_no_table_is_refused(reader):
    with pytest.raises(DamagedFile, match="expected a table: csv, tsv, txt, xlsx, xls or Parquet"):
        reader(b"PK\x05\x06" + b"\0" * 18, column_map(), name="t.zip")
    with pytest.raises(FileError, match=r"nowhere.yaml: found no such file"):
        reader(column_rows(), column_map(), column_map="nowhere.yaml")


def test_a_parquet_file_that_is_cut_off_is_refused(reader):
    whole = parquet(column_rows())
    for length in (4, 100, len(whole) // 2, len(whole) - 1):
        with pytest.raises(DamagedFile, match="a Parquet file"):
            reader(whole[:length], column_map(), name="t.parquet")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_header_without_rows_holds_no_curves(layout, reader):
    table, described = LAYOUTS[layout]
    with pytest.raises(DamagedFile, match="no amplification curve"):
        reader(table()[:1], described())


def test_infinity_is_no_signal_even_where_parquet_holds_it(reader):
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    written = io.BytesIO()
    pq.write_table(pa.table({"cycle": [1, 2], "A1_ABL1": [float("inf"), 1.0]}), written)
    described = column_map(columns={"A1_ABL1": {"role": "unkn"}})
    with pytest.raises(DamagedFile, match="row 2, column A1_ABL1: found 'inf'; expected a number"):
        reader(written.getvalue(), described, name="t.parquet")


# --- properties ---

_mangled = st.fixed_dictionaries(
    {
        "layout": st.sampled_from(sorted(LAYOUTS)),
        "decimal": st.booleans(),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
        "ends": st.sampled_from(["\n", "\r\n", "\r"]),
        "blank": st.integers(0, 3),
        "padded": st.booleans(),
        "quoted": st.booleans(),
        "trailing": st.booleans(),
        "order": st.randoms(use_true_random=False),
    }
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_mangled)
def test_encodings_line_ends_column_order_and_blanks_make_no_difference(reader, mangled):
    table, described = LAYOUTS[mangled["layout"]]
    cells = table("," if mangled["decimal"] else ".")
    places = list(range(len(cells[0])))
    mangled["order"].shuffle(places)
    cells = [[row[place] for place in places] for row in cells]
    if mangled["padded"]:
        cells = [[f" {cell} " for cell in row] for row in cells]
    if mangled["quoted"]:
        cells = [[f'"{cell}"' for cell in row] for row in cells]
    if mangled["trailing"]:
        cells = [[*row, ""] for row in cells]
    lines = [";".join(row) for row in cells]
    for _ in range(mangled["blank"]):
        lines.insert(mangled["order"].randint(0, len(lines)), "")
    content = (mangled["ends"].join(lines) + mangled["ends"]).encode(mangled["encoding"])
    agree(reader(content, described()), reader(table(), described()))


def test_every_sample_of_the_builders_is_read(tmp_path):
    for place, files in enumerate(samples().values()):
        folder = tmp_path / str(place)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        assert len(rows(read_run(folder))) == len(WELLS)
        assert [row["known_copies"] for row in rows(read_run(folder))][:2] == list(COPIES.values())


# --- real tables ---

TIDY = (
    "PCRedux__RAS002",
    "RDML__stepone_std",
    "ramiromagno__batsch_GAPDHh",
    "ramiromagno__batsch_SLC6A14r",
    "ramiromagno__boggy_s1",
    "ramiromagno__guescini_ampmix",
    "ramiromagno__lievens",
    "ramiromagno__ruijter_94x4",
    "ramiromagno__rutledge",
    "vendor__EDS_7500_RNaseP",
    "vendor__LC480_Nrd1_calibration",
    "vendor__QS1_RNaseP",
)


def _last_cycles(table):
    """The last cycle of every column."""
    with table.open(newline="") as lines:
        header, *body = csv.reader(lines)
    return {name: max(int(row[0]) for row in body if row[place]) for place, name in enumerate(header[1:], 1)}


def _stages(processing):
    if processing.startswith("Rn"):
        return "normalised"
    return "baseline_subtracted" if "subtracted" in processing else "raw"


def _column(curve, last):
    """What the annotation says of a curve, as the map of a column."""
    stated = {"target": curve["target"], "role": curve["task"]}
    for name, key in (("well", "well"), ("sample", "sample"), ("dye", "dye"), ("quantity", "quantity")):
        if curve.get(key) is not None:
            stated[name] = curve[key]
    if curve.get("vendor_cq") is not None:
        stated["cq"] = curve["vendor_cq"]
    if "well" not in stated:
        stated["part"] = f"{curve.get('series', '')} {curve['target']} to cycle {last}"
    return stated


def map_of(annotation, table):
    """The column map that says what the annotation beside a tidy table says."""
    last = _last_cycles(table)
    columns = {curve["name"]: _column(curve, last[curve["name"]]) for curve in annotation["curves"]}
    units = {curve["quantity_unit"] for curve in annotation["curves"] if curve.get("quantity") is not None}
    document = {
        "layout": "column_per_well",
        "stage": _stages(annotation["processing"]),
        "fields": {"cycle": "cycle"},
        "columns": columns,
        "role_words": {"standard": "std", "unknown": "unkn"},
        "no_cq": [40],
        "instrument": annotation["instrument"],
    }
    if units:
        (document["quantity_unit"],) = units
    if not all("well" in stated for stated in columns.values()):
        document |= {"wells": "in_order_of_columns", "plate": 384}
    return document


@pytest.fixture
def tidy(real_data, tmp_path):
    """Reads a tidy table by the map made of its annotation; gives the run and the annotation."""

    def read(name, **changes):
        table = real_data("tidy", f"{name}.csv")
        annotation = json.loads(table.with_suffix(".json").read_text(encoding="utf-8"))
        described = tmp_path / f"{name}.columns.yaml"
        described.write_text(yaml.safe_dump(map_of(annotation, table) | changes), encoding="utf-8")
        return read_run(table, column_map=described), annotation

    return read


@pytest.mark.real_data
@pytest.mark.parametrize("name", TIDY)
def test_a_real_table_gives_the_curves_and_quantities_of_its_annotation(name, tidy):
    run, annotation = tidy(name)
    assert run.fluorescence.shape == (annotation["n_curves"], annotation["n_cycles"])
    assert run.cycles[[0, -1]].tolist() == [annotation["first_cycle"], annotation["last_cycle"]]
    assert np.isnan(run.fluorescence).sum() == annotation["missing_values"]
    assert np.nanmin(run.fluorescence) == pytest.approx(annotation["fluor_min"], rel=1e-9)
    assert np.nanmax(run.fluorescence) == pytest.approx(annotation["fluor_max"], rel=1e-9)
    stated = sorted(curve["quantity"] for curve in annotation["curves"] if curve.get("quantity") is not None)
    assert sorted(row["vendor_quantity"] for row in rows(run) if row["vendor_quantity"] is not None) == stated
    copies = sorted(
        curve["quantity"]
        for curve in annotation["curves"]
        if curve["task"] == "standard" and curve.get("quantity_unit") == "copies"
    )
    assert sorted(row["known_copies"] for row in rows(run) if row["known_copies"] is not None) == copies


@pytest.mark.real_data
def test_curves_of_a_real_table_that_stop_early_need_a_part_of_their_own(tidy):
    with pytest.raises(BcrablError, match="cycles that differ within the run: 35 here"):
        tidy("ramiromagno__rutledge", **_without_parts(tidy("ramiromagno__rutledge")[1]))


def _without_parts(annotation):
    columns = {curve["name"]: {"target": curve["name"], "role": curve["task"]} for curve in annotation["curves"]}
    return {"columns": columns, "role_words": {"standard": "std"}}


SAME_RUN = [
    # table, the same run as exported, largest relative difference: the digits that the table prints
    (
        "vendor__QS1_RNaseP",
        "quantstudio_da2_xlsx/appbio_quantstudio_designandanalysis_QS1_Standard_Curve_example01.xlsx",
        1e-7,
    ),
    ("RDML__stepone_std", "rdml/stepone_std.rdml", 0.0),
    ("PCRedux__RAS002", "rdml/RAS002.rdml", 1e-9),
]


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "export", "difference"), SAME_RUN)
def test_the_same_run_as_table_and_as_export_agrees(name, export, difference, tidy, real_data):
    run, _ = tidy(name)
    exported = read_run(real_data(*export.split("/")))
    assert run.reactions["well"] == exported.reactions["well"]
    assert run.reactions["role"] == exported.reactions["role"]
    assert np.array_equal(run.cycles, exported.cycles)
    np.testing.assert_allclose(run.signal, exported.signal, rtol=difference, atol=0)
    reported = [[row["vendor_cq"] for row in rows(one)] for one in (run, exported)]
    if name != "PCRedux__RAS002":  # whose annotation carries no Cq
        assert reported[0] == reported[1]
