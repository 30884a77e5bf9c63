"""The notebooks are what their source says, hold no outputs, and run from the first cell to the last."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT
from tests.docs.test_links import LINK, anchors

FOLDER = ROOT / "docs" / "notebooks"
SOURCE = runpy.run_path(str(FOLDER / "make.py"))
FILES: tuple[str, ...] = SOURCE["FILES"]


def cells(file: str, kind: str) -> list[dict[str, Any]]:
    whole = json.loads((FOLDER / file).read_text("utf-8"))
    return [cell for cell in whole["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize(("language", "file"), list(enumerate(FILES)), ids=FILES)
def test_a_notebook_is_what_its_source_says(language: int, file: str) -> None:
    told = "run python docs/notebooks/make.py; change the text there, and commit no outputs"
    assert (FOLDER / file).read_text("utf-8") == SOURCE["notebook"](language), told


def test_both_languages_have_the_same_code_and_none_has_outputs() -> None:
    english, spanish = (cells(file, "code") for file in FILES)
    assert len(english) > 8
    assert [cell["source"] for cell in english] == [cell["source"] for cell in spanish]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in english + spanish)


@pytest.mark.parametrize("file", FILES)
def test_links_lead_to_files_and_headings_that_are_there(file: str) -> None:
    links = [link for cell in cells(file, "markdown") for link in LINK.findall("".join(cell["source"]))]
    assert len(links) >= 4
    for link in links:
        place, _, anchor = link.partition("#")
        target = (FOLDER / place).resolve()
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_cells_run_and_show_pictures_and_tables(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the kernel of this interpreter; the code is the same in both languages, so once is enough."""
    nbformat = pytest.importorskip("nbformat", reason="needs the extra test")
    nbclient = pytest.importorskip("nbclient", reason="needs the extra test")
    pytest.importorskip("ipykernel", reason="needs the extra test")
    monkeypatch.setenv("TRACK_WEIGHTS_DIR", str(weights.parent))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))  # no kernel and no settings of whoever runs this
    book = nbformat.read(FOLDER / FILES[0], as_version=4)
    book.cells.append(nbformat.v4.new_code_cell("sys.executable"))
    nbclient.NotebookClient(
        book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()

    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    shown = [output["data"] for output in outputs if "data" in output]
    assert shown[-1]["text/plain"] == repr(sys.executable)
    assert sum("image/png" in data for data in shown) == 4, "three results and a chart"
    tables = [data["text/html"] for data in shown if "text/html" in data]
    assert any("tracker_id" in table for table in tables), "the table of polars"
    assert any("srcdoc=" in table and "bakery" in table for table in tables), "the report"
    looked = next(cell for cell in book.cells if "save_detections" in cell.source)
    lines = [output["data"]["text/plain"] for output in looked.outputs if "data" in output]
    assert any(re.fullmatch(r"street.mp4: 113 frames, [\d.]+ fps", line) for line in lines), lines
    assert any(data["text/plain"] == "{'in': 1, 'out': 1}" for data in shown)
    printed = "".join(output["text"] for output in outputs if output["output_type"] == "stream")
    assert "corner out" in printed
    warned = "".join(output["text"] for output in outputs if output.get("name") == "stderr")
    assert "Warning" not in warned, warned
