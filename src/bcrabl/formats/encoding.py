"""From bytes to text: which encoding an export is in, and whether it is text at all."""

from __future__ import annotations

import codecs
import re

__all__ = ["decoded"]

_UTF16_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_UTF32_LITTLE_ENDIAN_MARK = b"\xff\xfe\x00\x00"
_SAMPLE = 2048  # bytes in which UTF-16 without a mark shows by its zeros
_NOT_IN_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_END_OF_FILE_MARK = "\x1a"  # what DOS programs put behind the last line


def decoded(content: bytes, *, whole: bool = True) -> str | None:
    """The text that bytes spell, or None where they are no text.

    UTF-16 by its mark or its zeros, UTF-8 with or without mark, else Windows-1252, of which Latin-1 is the part that
    exports use.

    Parameters
    ----------
    content : the bytes of a file, or its beginning.
    whole : False where they are but its beginning, which may end in the middle of a character.
    """
    encoding = _utf16_encoding(content)
    for candidate in (encoding,) if encoding else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            return _text_or_none(codecs.getincrementaldecoder(candidate)().decode(content, final=whole))
        except UnicodeDecodeError:
            continue
    return None


def _utf16_encoding(content: bytes) -> str | None:
    if content.startswith(_UTF32_LITTLE_ENDIAN_MARK):
        return None
    if marked := _UTF16_MARKS.get(content[:2]):
        return marked
    sample = content[: _SAMPLE - _SAMPLE % 2]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if (
            len(sample) > 3
            and sample[first::2].count(0) > 0.9 * len(sample[first::2])
            and sample[1 - first :: 2].strip(b"\0")
        ):
            return encoding
    return None


def _text_or_none(text: str) -> str | None:
    text = text.removeprefix("\ufeff").rstrip(_END_OF_FILE_MARK)
    return None if _NOT_IN_TEXT.search(text) else text
