"""Why the defaults are what they are: ``python -m benchmarks.defaults [--draws N] [--conf 0.2,0.3 ...]``.

Needs ../shared. A row is one setting: false and missed crossings of every recording's lines
(`benchmarks.cases`), their sum, how much that differs from the defaults, and HOTA and IDF1 (mean over the
sequences with identities). A figure is the mean over the recording as it is, ``--draws`` runs with jittered
boxes and scores, and both halves of its frames; ± is the spread over these runs, all recordings together. In
brackets is the standard error over recordings: how much the difference would change with others of this kind.
Without options each default is changed alone; with options all their combinations are run; ``--only``
narrows the recordings. Detections are made once with the default detector and kept in ``--cache``; those of
MOT17 come from another detector (YOLOX), whose own thresholds (0.6 / 0.7 / 0.9) stand for the defaults there,
and the values around are scaled with them.

Below each table: values that cannot be told from the default (apart by less than `NOISE` standard errors
over recordings; of twenty values one is further apart by chance); the value that is best on all recordings
but one, for each left out, and the mistakes these make on the ones left out, beside those of the default. A
value is worth having where it wins there, and by more than the noise; not where it wins on the recordings
that it was chosen by.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import SCALED, Case, cases
from bytetrack.types import FloatArray
from tracker.options import Options
from tracker.trackers.settings import TRACKER_KINDS

AROUND: dict[str, tuple[Any, ...]] = {  # of each default, what else might have been
    "conf": (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5),
    "new_track_thresh": (0.3, 0.37, 0.45, 0.5, 0.6),
    "match_thresh": (0.8, 0.85, 0.88, 0.9, 0.95),
    "lost": (0.5, 1.0, 2.0, 3.0, 4.0),
    "tracker": TRACKER_KINDS,
}
NOISE = 2.0  # standard errors: a difference below that is none
DEFAULTS = {name: getattr(Options(), name) for name in AROUND}
Setting = dict[str, Any]


def groups(given: dict[str, list[Any]]) -> Iterator[list[Setting]]:
    """Yield the settings to compare: combinations of what is given, else each default changed alone."""
    if given:
        yield [dict(zip(given, values, strict=True)) for values in itertools.product(*given.values())]
        return
    for name, values in AROUND.items():
        yield [{name: value} for value in values]


def is_default(setting: Setting) -> bool:
    return all(DEFAULTS[name] == value for name, value in setting.items())


def left_out(mistakes: FloatArray, fallback: int) -> tuple[list[int], float]:
    """Return the setting chosen without each recording, and the mistakes on those left out, added.

    mistakes (settings, recordings). Of equals, ``fallback`` is taken.
    """
    chosen = []
    for number in range(mistakes.shape[1]):
        sums = np.delete(mistakes, number, axis=1).sum(1)
        chosen.append(fallback if sums[fallback] == sums.min() else int(sums.argmin()))
    return chosen, float(mistakes[chosen, range(mistakes.shape[1])].sum())


def noise(against: FloatArray) -> tuple[float, float]:
    """Return the spread of a difference over runs, and its standard error over recordings.

    against (recordings, runs): how many mistakes more. The second is that of a sum of as many recordings as
    there are, drawn at random.
    """
    own = against.mean(1)
    return float(against.sum(0).std()), float(np.sqrt(len(own)) * own.std(ddof=1)) if len(own) > 1 else 0.0


def judge(case: Case, setting: Setting, draws: int) -> tuple[FloatArray, FloatArray]:
    return case.judge(setting, draws)


def label(setting: Setting) -> str:
    return " ".join(f"{name}={value}" for name, value in setting.items())


def table(
    settings: Sequence[Setting],
    names: Sequence[str],
    wrong: Sequence[FloatArray],
    identities: Sequence[FloatArray],
    fallback: int,
) -> Iterator[str]:
    """Yield the lines of one comparison; wrong: (recordings, runs) of each setting."""
    alike = []
    for setting, own, known in zip(settings, wrong, identities, strict=True):
        against = own - wrong[fallback]
        more, (runs, recordings) = against.sum(0).mean(), noise(against)
        cells = " ".join(f"{value:8.1f}" for value in own.mean(1))
        differs = "" if own is wrong[fallback] else f"{more:+6.1f} ± {runs:.1f} ({recordings:.1f})"
        if differs and abs(more) <= NOISE * recordings:
            alike.append(label(setting))
        hota, idf1 = np.nanmean(known, axis=(0, 1)) if np.isfinite(known).any() else (np.nan, np.nan)
        total = f"{own.sum(0).mean():7.1f} ± {own.sum(0).std():4.1f}"
        yield f"{label(setting):24s} {cells} {total} {differs:21s} {hota:5.1f} {idf1:5.1f}"
    yield f"  within noise of the default: {', '.join(alike) or 'none'}"
    mistakes = np.array([own.mean(1) for own in wrong])
    chosen, total_out = left_out(mistakes, fallback)
    for number in dict.fromkeys(chosen):
        without = [name for name, one in zip(names, chosen, strict=True) if one == number]
        yield f"  {label(settings[number])} is best without {', '.join(without)}"
    default, best = mistakes[fallback].sum(), mistakes.sum(1).min()
    yield f"  left out: {total_out:.1f} mistakes; the default {default:.1f}; the best in hindsight {best:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=2, help="runs over jittered detections per setting")
    parser.add_argument("--cache", type=Path, default=Path("build/detections"), help="keeps the detections")
    parser.add_argument(
        "--only", default=[], type=lambda text: text.split(","), help="recordings, by parts of their names"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--tracker", type=lambda text: text.split(","), help="kinds, comma separated")
    for name in (*SCALED, "lost"):
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=lambda text: [float(part) for part in text.split(",")]
        )
    arguments = vars(parser.parse_args())
    known = cases(arguments["cache"], arguments["only"])
    if not known:
        parser.error(f"--only {','.join(arguments['only'])}: no recording has such a name")
    option_names = {field.name for field in fields(Options)}
    given = {
        name: values for name, values in arguments.items() if name in option_names and values is not None
    }
    print("crossings: " + ", ".join(f"{case.film.name} {case.crossings}" for case in known))
    heads = " ".join(f"{case.film.name[:8]:>8s}" for case in known)
    print(f"{'':24s} {heads} {'all':>14s} {'to the default':21s}  HOTA  IDF1")
    context = multiprocessing.get_context("spawn")  # the detector may have left threads behind
    with ProcessPoolExecutor(arguments["jobs"], mp_context=context) as pool:
        jobs: dict[str, list[Any]] = {}
        compared = []
        for settings in groups(given):
            if not any(map(is_default, settings)):
                settings.insert(0, {name: DEFAULTS[name] for name in settings[0]})
            compared.append(settings)
            for setting in settings:
                key = "" if is_default(setting) else label(setting)
                if key not in jobs:
                    jobs[key] = [pool.submit(judge, case, setting, arguments["draws"]) for case in known]
        for settings in compared:
            results = [
                [job.result() for job in jobs["" if is_default(setting) else label(setting)]]
                for setting in settings
            ]
            wrong, identities = ([np.stack([one[k] for one in own]) for own in results] for k in (0, 1))
            fallback = next(n for n, setting in enumerate(settings) if is_default(setting))
            for line in table(settings, [case.film.name for case in known], wrong, identities, fallback):
                print(line, flush=True)
            print(flush=True)


if __name__ == "__main__":
    main()
