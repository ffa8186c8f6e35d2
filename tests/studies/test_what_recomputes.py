"""Which code a study depends on, and that no batch depends on the code of studies."""

from __future__ import annotations

from pathlib import Path

import pytest

from bcrabl import provenance

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"


def rooms_of(script):
    package = Path(provenance.__file__).parent
    return {path.relative_to(package).parts[0] for path in provenance._imported(SCRIPTS / script)}


@pytest.mark.parametrize("script", ["analyse.py", "score.py", "report.py", "summary.py"])
def test_a_change_in_the_code_of_studies_computes_no_batch_anew(script):
    assert "studies" not in rooms_of(script)


def test_a_study_is_computed_anew_when_its_maths_or_its_figure_changes_and_not_when_a_reader_of_files_does():
    rooms = rooms_of("detection_limits.py")
    assert {"studies", "detection", "report", "tables.py", "study_sheet.py"} <= rooms
    assert not {"formats", "curves", "stages"} & rooms
