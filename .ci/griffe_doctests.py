"""For mkdocstrings: examples that stand in a docstring without a heading become blocks of code."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLES = re.compile(r"(?:^[ \t]*>>> .*\n?(?:^[ \t]*\S.*\n?)*)+", re.MULTILINE)


class Doctests(griffe.Extension):
    """Puts a fence around every run of ``>>>`` lines and what they print."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change one docstring."""
        if obj.docstring is not None:
            text = obj.docstring.value
            obj.docstring.value = EXAMPLES.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text)
