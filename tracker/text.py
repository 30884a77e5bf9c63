"""Text from strangers: what a terminal would obey is made visible, what a spreadsheet would run a word."""

from __future__ import annotations

import re
import unicodedata

SEPARATORS = "\u2028\u2029"  # begin a new line in some programs
FORMULA = re.compile(r"(^|[;,\t\r\n])(\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")
GUARDED = re.compile(r"(^|[;,\t\r\n])'(\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def harmless(text: str) -> str:
    r"""Return text with every control character, and what turns writing around, as ``\x1b`` and the like.

    Terminals obey such characters (ISO 6429), and half a surrogate pair cannot be written at all.

    >>> print(harmless("\x1b[31mcar\u202e\n"))
    \x1b[31mcar\u202e\n
    """
    if text.isprintable():
        return text
    return "".join(_visible(letter) for letter in text)


def one_line(text: str) -> str:
    """Return an error's text on one line, harmless.

    >>> one_line("no such file\\n  here")
    'no such file here'
    """
    return harmless(" ".join(text.split()))


def cell(text: str) -> str:
    """Return text for a cell of a CSV file that no spreadsheet takes for a formula; numbers stay numbers.

    An apostrophe goes before ``=``, ``+``, ``-`` and ``@`` where a cell may begin, as OWASP advises
    ("CSV injection"); also behind ``;``, at which some spreadsheets divide.

    >>> cell("=1+1"), cell("-1.5"), cell("tricycle")
    ("'=1+1", '-1.5', 'tricycle')
    """
    return text if NUMBER.fullmatch(text) else FORMULA.sub(r"\1'\2", harmless(text))


def cell_read(text: str) -> str:
    """Return what `cell` was given.

    >>> cell_read("'=1+1"), cell_read("'tis")
    ('=1+1', "'tis")
    """
    return GUARDED.sub(r"\1\2", text)


def _visible(letter: str) -> str:
    if unicodedata.category(letter) in ("Cc", "Cf", "Cs") or letter in SEPARATORS:
        code = ord(letter)
        named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(letter)
        return named or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
    return letter
