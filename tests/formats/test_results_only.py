"""Files that are known and hold no curves: what is said of them."""

from __future__ import annotations

import mxpro_builders
import pytest
import tube_builders
from format_builders import small_rdml

from bcrabl.errors import FormatNotRecognised, FormatRefused
from bcrabl.formats import read_run
from bcrabl.formats.refusals import REFUSALS
from bcrabl.formats.source import RawFile

ANALYSED = (
    '"Excel Analysed Data Export"\r\n"Copyright (c)2013 QIAGEN GmbH"\r\n"File";"run.rex"\r\n'
    '"No.";"Color";"Name";"Type";"Ct"\r\n"1";"Red";"P1";"Unknown";"20,5"\r\n'
)
QTOWER = (
    "Title:,run\r\nDate/Time:,1.2.2020\r\nDevice:,qTOWER³84 /G\r\n\r\n"
    "Well,,Sample name,Sample type,GOI,Reference gene,Ct GOI,Ct Ref. gene\r\nA1,,P1,Unknown,ABL1,,20.5,\r\n"
)
BIOMARK = (
    "Chip Run Filename,R:\\ChipRun.bml\r\nApplication Version,2.1.1\r\nExport Type,Table Results\r\n\r\n"
    "ID,Name,Type,rConc,Name,Type,Value\r\nS48-A01,P1,Unknown,1,ABL1,Test,20.5\r\n"
)


def refusal(tmp_path, text: str, name: str = "export.csv", encoding: str = "utf-8") -> str:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    with pytest.raises(FormatRefused) as caught:
        read_run(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ANALYSED, ("results of a Rotor-Gene analysis", "Excel Raw Data Export")),
        (ANALYSED.replace("2013 QIAGEN", "2003 Corbett"), ("results of a Rotor-Gene analysis",)),
        ('<?xml version="1.0"?><Experiment><Software>Rotor-Gene 2.3</Software></Experiment>', ("Rotor-Gene document",)),
        (QTOWER, ("qPCRsoft (qTOWER)", "RDML")),
        (BIOMARK, ("BioMark chip", "RDML")),
        ("realplex 2.2\r\nPos,Name,Ct SYBR\r\nA1,P1,20.5\r\n", ("realplex", "RDML")),
        (mxpro_builders.report(), ("text report of MxPro", "Text Format 1")),
        ("Well,Sample,Cq\r\nA1,P1,20.5\r\n", ("a table of Cq without curves",)),
        ("Target,Lab,Cq,SQ\r\nABL1,1,20.5,100\r\n", ("a table of Cq without curves",)),
        ("Position;Name;Ct\r\nA1;P1;20,5\r\n", ("a table of Cq without curves",)),
        ("some\r\nwords\r\n\r\nWell\tTarget\tCT\r\nA1\tABL1\t20.5\r\n", ("a table of Cq without curves",)),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_file_without_curves_is_named_and_what_to_export(tmp_path, text, said, encoding):
    found = refusal(tmp_path, text, encoding=encoding)
    for words in said:
        assert words in found


@pytest.mark.parametrize(("name", "said"), [("a.amxd", "AriaMx"), ("a.REX", "Rotor-Gene"), ("a.bmrun", "Biomeme")])
def test_a_vendor_document_that_shows_nothing_is_known_by_its_name(tmp_path, name, said):
    assert said in refusal(tmp_path, "\x01\x02 something", name)


@pytest.mark.parametrize(
    "text",
    [
        "Well,Cycle,Rn,Cq\r\nA1,1,0.5,20.5\r\n",
        "Well,Sample,Cq,RFU\r\nA1,P1,20.5,1\r\n",
        "Well,Sample,Note\r\nA1,P1,20.5\r\n",
        "Cq,Cp\r\n1,2\r\n",
    ],
)
def test_a_table_with_readings_or_without_cq_is_only_unknown(tmp_path, text):
    path = tmp_path / "export.csv"
    path.write_text(text)
    with pytest.raises(FormatNotRecognised) as caught:
        read_run(path)
    assert not isinstance(caught.value, FormatRefused)


def test_the_most_general_refusal_is_asked_last():
    assert REFUSALS[-1].found == "a table of Cq without curves"


@pytest.mark.parametrize(
    "content",
    [
        small_rdml().encode(),
        b"\0\1\2",
        b"PK\3\4",
        b"\xd0\xcf\x11\xe0",
        *(next(iter(files.values())) for files in tube_builders.samples().values()),
    ],
)
def test_no_refusal_claims_what_is_read_or_stumbles_over_what_is_not(content):
    source = RawFile("export", content)
    if content.startswith(b"PK"):
        source.__dict__["archive"] = None  # that a broken zip is damaged is told elsewhere
    assert not any(refusal.claims(source) for refusal in REFUSALS)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("biomark_results", "BioMark_sample.csv"), "results of a Fluidigm BioMark chip"),
        (("lod_cq", "Data.csv"), "a table of Cq without curves"),
    ],
)
def test_real_tables_of_results_are_refused(real_data, parts, said):
    with pytest.raises(FormatRefused, match=said):
        read_run(real_data(*parts))
