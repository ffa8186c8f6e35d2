"""The figure of a detection study, and the page that explains it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from bcrabl.report.figures.detection import study_figure
from bcrabl.schemas import load_schema
from bcrabl.studies.chart import chart_of
from bcrabl.studies.limits import Reactions, StudySettings, study_limits
from bcrabl.tables import DETECTION_LIMITS

DOCS = Path(__file__).parents[3] / "docs"
SETTINGS = StudySettings("cloglog", 0.95, 0.95, 1, False, "non_parametric", 0.35)


def chart(counts):
    level = np.repeat(list(counts), [total for _, total in counts.values()]).astype(float)
    found = np.concatenate([np.arange(total) < detected for detected, total in counts.values()]).astype(bool)
    spread = np.tile([0.8, 1.2, 1.1, 0.9], len(level))[: len(level)]
    measured = np.where(found, np.maximum(level, 0.5) * spread, 0)
    return chart_of(study_limits(Reactions(level, found, measured, np.zeros(len(level), bool)), SETTINGS))


def texts(figure):
    return "\n".join(ET.fromstring(figure.svg()).itertext())


@pytest.fixture(scope="module")
def page():
    return (DOCS / "detection_limits.md").read_text(encoding="utf-8")


def test_two_targets_have_two_panels_each():
    one = chart({0: (0, 12), 1: (7, 12), 3: (11, 12), 10: (12, 12)})
    figure = study_figure("lod", {"BCR::ABL1": one, "GUSB": one})
    assert len(figure.panels) == 4
    assert "GUSB: detection" in texts(figure)


def test_every_level_with_target_is_a_point_with_its_exact_interval():
    one = chart({0: (0, 12), 1: (7, 12), 3: (11, 12), 10: (12, 12)})
    (panel, _) = study_figure("lod", {"BCR::ABL1": one}).panels
    (points,) = (mark for mark in panel.marks if mark.name.startswith("observed"))
    assert np.asarray(points.x).tolist() == [1.0, 3.0, 10.0]
    assert np.asarray(points.y) == pytest.approx([7 / 12, 11 / 12, 1.0])
    (bars,) = (mark for mark in panel.marks if not mark.name and hasattr(mark, "y") and np.size(mark.y) == 9)
    # 12 of 12: (α/2)^(1/12) to 1
    assert np.asarray(bars.y)[6:8] == pytest.approx([0.025 ** (1 / 12), 1.0])


@pytest.mark.parametrize(
    "counts",
    [{0: (0, 12)}, {5: (12, 12)}, {0: (0, 4), 5: (0, 12), 10: (0, 12)}, {0: (0, 8), 1: (2, 4), 2: (3, 4), 5: (3, 4)}],
    ids=["blanks only", "one level", "nothing detected", "no upper end"],
)
def test_a_study_that_determines_little_still_has_a_figure(counts):
    shown = texts(study_figure("lod", {"BCR::ABL1": chart(counts)}))
    assert "nan" not in study_figure("lod", {"BCR::ABL1": chart(counts)}).svg().lower().replace("nano", "")
    assert "No limit by cloglog" in shown or "LoD" in shown


def test_the_figure_of_the_page_is_what_the_code_draws_now(tmp_path):
    subprocess.run([sys.executable, DOCS / "make_detection_figure.py", tmp_path], check=True)
    drawn = (tmp_path / "detection_limits.svg").read_bytes()
    assert drawn == (DOCS / "detection_limits.svg").read_bytes(), "run python docs/make_detection_figure.py"


def test_the_page_explains_every_setting_and_every_column_of_the_table(page):
    settings = load_schema("config")["properties"]["detection_limits"]["properties"]
    missing = [name for name in (*settings, *DETECTION_LIMITS.schema.names) if f"`{name}`" not in page]
    assert not missing


def test_the_page_shows_the_figure_and_says_in_words_what_is_on_it(page):
    ((words, path),) = re.findall(r"!\[([^\]]*)\]\(([^)]+\.svg)\)", page)
    assert path == "detection_limits.svg"
    assert len(words) > 60


def test_every_column_of_the_table_has_a_meaning_and_copies_have_their_unit():
    for field in DETECTION_LIMITS.schema:
        assert field.metadata[b"meaning"], field.name
        if field.name.endswith(("_copies", "_low", "_high")):
            assert field.metadata[b"unit"] == b"copies/reaction", field.name
