"""Which files belong to a run, and the digest that stands for them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bcrabl.raw_files import COLUMN_MAP_SUFFIX, digest_of, files_of_run


def lay(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(name.encode())


def found(folder: Path, name: str) -> list[str]:
    return [path.name for path in files_of_run(folder / name)]


CFX = (
    "run 1 -  Quantification Amplification Results_FAM.csv",
    "run 1 -  Quantification Amplification Results_Texas Red.csv",
    "run 1 -  Quantification Cq Results_0.csv",
    "run 1 -  Quantification Plate View Results_FAM.csv",
    "run 1 -  Quantification Summary_0.csv",
    "run 1 -  Standard Curve Results_FAM.csv",
    "run 1 -  Melt Curve Derivative Results_FAM.csv",
    "run 1 -  End Point Results_FAM.csv",
    "run 1 -  Run Information.csv",
)


@pytest.mark.parametrize("chosen", CFX)
def test_every_csv_of_cfx_leads_to_all_others_of_its_run(tmp_path, chosen):
    lay(tmp_path, *CFX, "run 10 -  Quantification Cq Results.csv", "run 1.pcrd", "notes.csv", "run 1 - plan.csv")
    assert found(tmp_path, chosen)[0] == chosen
    assert sorted(found(tmp_path, chosen)) == sorted(CFX)


@pytest.mark.parametrize(
    "beside",
    [
        "run - Quantification Cq Results.csv",
        "run -  Quantification Cq Results.csv",
        "run_Run Information.csv",
        "run_-__Quantification_Cq_Results.csv",
        "run-Quantification-Cq_Results.csv",
        "run -  Quantification Cq Results_0.CSV",
        "run -  Quantification Cq Results_0.csv.gz",
    ],
)
def test_blanks_and_numbers_in_names_do_not_matter(tmp_path, beside):
    curves = "run -  Quantification Amplification Results_SYBR.csv"
    lay(tmp_path, curves, beside)
    assert found(tmp_path, curves) == [curves, beside]
    assert found(tmp_path, beside) == [beside, curves]


def test_a_run_named_like_a_table_keeps_its_name(tmp_path):
    lay(
        tmp_path,
        "a - Quantification of ABL1 -  Quantification Amplification Results_FAM.csv",
        "a - Quantification of ABL1 -  Quantification Cq Results.csv",
        "a - Quantification of GUSB -  Quantification Cq Results.csv",
        "a -  Quantification Cq Results.csv",
    )
    assert found(tmp_path, "a - Quantification of ABL1 -  Quantification Amplification Results_FAM.csv") == [
        "a - Quantification of ABL1 -  Quantification Amplification Results_FAM.csv",
        "a - Quantification of ABL1 -  Quantification Cq Results.csv",
    ]


@pytest.mark.parametrize("ending", ["xlsx", "xml"])
def test_workbooks_and_xml_of_a_run_belong_together_and_not_to_its_csv(tmp_path, ending):
    names = [f"run -  Quantification {kind} Results.{ending}" for kind in ("Amplification", "Cq")]
    lay(tmp_path, *names, "run -  Quantification Cq Results.csv")
    assert found(tmp_path, names[0]) == names


def test_a_workbook_of_another_name_stands_alone(tmp_path):
    lay(tmp_path, "run.xlsx", "run_Cq.xlsx", "run -  Quantification Cq Results.xlsx")
    assert found(tmp_path, "run.xlsx") == ["run.xlsx"]


def test_instrument_data_and_text_report_of_mxpro_belong_together(tmp_path):
    names = ("p - Instrument Data - Text Format 1.txt", "p - Text Report.txt")
    lay(tmp_path, *names, "q - Text Report.txt")
    assert found(tmp_path, names[0]) == list(names)


@pytest.mark.parametrize("beside", ["run_Cq.txt", "run Cp.txt", "run-Ct.csv", "run_Cps.tsv"])
def test_a_table_named_after_another_and_cq_belongs_to_it(tmp_path, beside):
    lay(tmp_path, "run.txt", beside, "run_Cqx.txt", "running_Cq.txt")
    assert found(tmp_path, "run.txt") == ["run.txt", beside]


def test_a_column_map_stands_before_all_other_companions(tmp_path):
    lay(tmp_path, "run.csv", "run_Cq.csv", f"run.csv{COLUMN_MAP_SUFFIX}")
    assert found(tmp_path, "run.csv") == ["run.csv", f"run.csv{COLUMN_MAP_SUFFIX}"]


def test_a_folder_means_all_its_files_but_hidden_ones_and_folders(tmp_path):
    lay(tmp_path, "b.csv", "a.csv", ".hidden")
    (tmp_path / "deeper").mkdir()
    assert [path.name for path in files_of_run(tmp_path)] == ["a.csv", "b.csv"]


def test_a_file_that_is_not_there_is_named_all_the_same(tmp_path):
    assert found(tmp_path, "none.csv") == ["none.csv"]


def test_the_digest_of_one_file_is_its_own():
    assert digest_of([("a", b"x")]) == hashlib.sha256(b"x").hexdigest()


def test_the_digest_of_several_files_is_that_of_their_list_in_any_order():
    listed = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in (("a", b"1"), ("b", b"2")))
    expected = hashlib.sha256(listed.encode()).hexdigest()
    assert digest_of([("b", b"2"), ("a", b"1")]) == digest_of([("a", b"1"), ("b", b"2")]) == expected
