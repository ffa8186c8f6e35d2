"""Text in the encodings that instruments write, and what is no text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcrabl.formats.encoding import decoded

GERMAN = "Größe µL n. def. 24,5\r\n" * 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_text_is_read_in_the_encodings_of_exports(encoding):
    assert decoded(GERMAN.encode(encoding)) == GERMAN


def test_what_only_windows_1252_has_is_read():
    assert decoded("qTOWER³ – 60 °C €".encode("cp1252")) == "qTOWER³ – 60 °C €"


def test_a_mark_of_the_end_of_a_dos_file_is_no_text():
    assert decoded(b"A1\t24.5\r\n\x1a") == "A1\t24.5\r\n"


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x00\x01\x02\x03", b"\xff\xfeA"]
)
def test_binary_content_is_no_text(content):
    assert decoded(content) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_none(content):
    assert decoded(content) is None or isinstance(decoded(content), str)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=80))
def test_text_in_utf8_comes_back(text):
    if not text.startswith("\ufeff"):
        assert decoded(text.encode()) == text or not text
