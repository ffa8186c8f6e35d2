"""A file is there whole or not at all."""

from __future__ import annotations

import pytest

from bcrabl.whole_files import replacing, write_text


def test_an_interrupted_write_leaves_nothing_under_the_final_name(tmp_path):
    path = tmp_path / "deep" / "status.json"

    def write_half():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert list(path.parent.iterdir()) == []


def test_text_is_written_with_line_feeds_in_utf_8(tmp_path):
    write_text("µ\n", tmp_path / "a" / "b.txt")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "µ\n".encode()
