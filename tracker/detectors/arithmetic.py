"""Which arithmetic a processor multiplies faster, found by trying once and kept.

OpenVINO takes bf16 wherever the processor has instructions for it. These are not always the faster ones: on
an AMD EPYC with AVX-512 they took half the time of fp32; on an Intel Xeon, whose matrix unit the virtual
machine hid, half as much again (47 against 30 ms).
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tracker.detectors.user_folders import cache_folder

SHAPE = (1, 320, 320, 3)  # of the picture that is tried: small, since only the ratio matters
ROUNDS = 10  # in turns; the least of each counts
GAIN = 0.95  # bf16 is less exact, and must be so much faster at least


def faster(core: Any, xml: Path) -> str:
    """Return "bf16" or "f32", whichever this processor computes a model faster in; kept in the cache."""
    key = " ".join([core.get_property("CPU", "FULL_DEVICE_NAME"), version("openvino"), xml.parent.name])
    path = cache_folder() / "openvino" / "arithmetic.json"
    known = _read(path)
    if known.get(key) not in ("bf16", "f32"):
        seconds = _seconds(core, xml)
        known[key] = "bf16" if seconds["bf16"] < GAIN * seconds["f32"] else "f32"
        _write(path, known)
    return known[key]


def _seconds(core: Any, xml: Path) -> dict[str, float]:
    """Return the processor time of one picture in each arithmetic, in seconds; tried in turns.

    Of the processor, not of the clock: on a machine that is busy for the moment the clock once named the
    slower one, and what is found is kept.
    """
    pixels = np.full(SHAPE, 114, np.uint8)
    requests = {}
    for precision in ("bf16", "f32"):
        model = core.read_model(xml)
        model.reshape([*SHAPE])
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
        requests[precision] = compiled.create_infer_request()
        requests[precision].infer([pixels])
    least = dict.fromkeys(requests, np.inf)
    for _ in range(ROUNDS):
        for precision, request in requests.items():
            began = time.process_time()
            request.infer([pixels])
            least[precision] = min(least[precision], time.process_time() - began)
    return least


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, known: dict[str, str]) -> None:
    with suppress(OSError):  # the next run tries again
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, new = tempfile.mkstemp(dir=path.parent, prefix=".arithmetic-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(known, file)
        Path(new).replace(path)
