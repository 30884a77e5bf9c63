"""What arrays are called in signatures: `bytetrack.types` and the modules that it needs."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.integer[Any]]
RowIndex: TypeAlias = NDArray[Any] | slice | list[int]
