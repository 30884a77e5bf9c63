"""scipy's ``linear_sum_assignment`` without the rest of ``scipy.optimize``.

The rest takes 0.4 s of CPU to import, a third of what a short run takes from its start to its first picture,
and trackers use this one function, which is a compiled module of its own.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

MODULE = "scipy.optimize._lsap"  # since scipy 1.9; where it is not, all of ``scipy.optimize`` is imported


def _load() -> Any:
    if "scipy.optimize" in sys.modules:
        import scipy.optimize

        return scipy.optimize.linear_sum_assignment
    import scipy

    spec = PathFinder.find_spec(MODULE, [str(Path(place, "optimize")) for place in scipy.__path__])
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        if "linear_sum_assignment" in vars(module):
            sys.modules.setdefault(MODULE, module)  # for who imports all of it later
            return module.linear_sum_assignment
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment


linear_sum_assignment = _load()
