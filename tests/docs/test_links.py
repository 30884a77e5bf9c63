"""Every link of the pages leads somewhere, every page is in the manual, every name of the API is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import PAGES, ROOT, name, text

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def without_code(page: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings: letters, digits and dashes, as GitHub and MkDocs make them."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text(page), flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    for link in LINK.findall(without_code(page.read_text("utf-8"))):
        if re.match(r"https?://", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.is_file(), f"{name(page)}: {link}"
        assert not anchor or anchor in anchors(target), f"{name(page)}: {link} has no such heading"


def test_every_page_is_in_the_manual_and_links_stay_in_it() -> None:
    class Loader(yaml.SafeLoader):
        """Takes the names of Python functions as text."""

    Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda _, suffix, node: suffix)
    config = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Loader)
    listed = re.findall(r"[\w/-]+\.md", str(config["nav"]))
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert sorted(listed) == sorted(pages)
    for page in (ROOT / "docs").rglob("*.md"):
        for link in LINK.findall(without_code(text(page))):
            target = (page.parent / link.partition("#")[0]).resolve()
            inside = re.match(r"https?://|#", link) or target.is_relative_to(ROOT / "docs")
            assert inside, f"{name(page)}: {link} leads out of the manual"


@pytest.mark.parametrize("page", ["tracker", "bytetrack"])
def test_every_name_of_the_reference_is_there(page: str) -> None:
    for dotted in re.findall(r"^::: (\S+)$", (ROOT / f"docs/api/{page}.md").read_text("utf-8"), re.MULTILINE):
        module, _, last = dotted.rpartition(".")
        if (module and last[0].isupper()) or dotted in ("tracker.api.track", "tracker.run.multi.track_all"):
            assert hasattr(importlib.import_module(module), last), dotted
        else:
            importlib.import_module(dotted)
