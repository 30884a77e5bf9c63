"""What may be shown of text from strangers: no secret, nothing that a terminal obeys or a spreadsheet runs.

Imports nothing of the program, so that everything may use it.
"""

from __future__ import annotations

import re
import unicodedata

SEPARATORS = "\u2028\u2029"  # begin a new line in some programs
FORMULA = re.compile(r"(^|[;,\t\r\n])('*\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")
GUARDED = re.compile(r"(^|[;,\t\r\n])'('*\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")
SCHEME = r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]+:/{1,3}"  # one slash: what a path makes of an address
USER = re.compile(rf"({SCHEME})(?:[^\s/@:]+:[^\s@'\"]*(?: [^\s@'\"]+){{1,3}}@)?(?:[^\s'\"]*@)?")
DRIVE_USER = re.compile(r"(\b[A-Za-z]:/{1,3})[^\s/@:]+:[^\s@'\"]*@")  # a scheme of one letter, no drive
QUERY = re.compile(rf"({SCHEME}[^\s?#'\"]*)[?#][^\s'\";,]*?(?=[:.)]?(?:[\s'\";,]|$))")
# A password with a colon in it is looked for so far only: each word with a colon may begin one.
BARE_USER = re.compile(r"(?<![\w.:-])[\w.-]+:(?:[^\s/@:'\"]+|[^\s/@'\"]{1,256})@(?=[\w\[])")
SETTING = re.compile(r"(?<![\w-])([\w-]+)=[^\s&;,'\"]+")
SECRET = re.compile(
    r"(?i)(?:^|[_-])(?:pass(?:word|wd|phrase|code)?|pwd|secret|(?:api|access)?key|auth|authorization|sig"
    r"|signature|credentials?|sas|session(?:id)?|cookie)$|token$"
)
BEARER = re.compile(r"(?i)(\b(?:authorization: *)?(?:basic|bearer|digest) +)[\w.~+/=-]{8,}")
NUMBER = re.compile(r"[-+]?(\d+(?:\.\d*)?|\.\d+)([eE][-+]?\d+)?")


def harmless(text: str) -> str:
    r"""Return text with every control character, and what turns writing around, as ``\x1b`` and the like.

    Terminals obey such characters (ISO 6429), and half a surrogate pair cannot be written at all.

    >>> print(harmless("\x1b[31mcar\u202e\n"))
    \x1b[31mcar\u202e\n
    """
    if text.isprintable():
        return text
    return "".join(_visible(letter) for letter in text)


def hide(text: str) -> str:
    """Return text without the secrets that stand in it, whatever the scheme of an address.

    Secrets are known by their form: what stands before the ``@`` of an address, all behind its ``?``, and
    the value of whatever is called password, token, key, signature and the like.

    >>> hide("gopher://me:pa/s@s@host/cam?x=1 is away; --on token=abc, me:pw@host")
    'gopher://host/cam is away; --on token=***, host'
    """
    text = USER.sub(r"\1", text)
    text = DRIVE_USER.sub(r"\1", text)
    text = QUERY.sub(r"\1", text)
    text = BARE_USER.sub("", text)
    text = SETTING.sub(lambda found: f"{found[1]}=***" if SECRET.search(found[1]) else found[0], text)
    return BEARER.sub(r"\1***", text)


def told(text: str) -> str:
    """Return an error or a note as it is printed: on one line, harmless, without secrets.

    >>> told("no such file\\n  here: ftp://me:pw@host")
    'no such file here: ftp://host'
    """
    return harmless(" ".join(hide(shorten(text)).split()))


def shorten(text: str, most: int = 4000) -> str:
    """Return text that ends where nobody reads on, and that takes no time to look through.

    >>> shorten("abcdefgh", 5)
    'abcd…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


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
