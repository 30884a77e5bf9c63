"""``track eval``: how good are the identities, on ground truth of your own?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from tracker.arguments.click_types import FILE, same_as
from tracker.offline.metrics import BENCHMARKS, Scores, score, table
from tracker.offline.motchallenge import (
    MotSequence,
    find_result,
    find_sequences,
    follow,
    read_tracks,
    write_rows,
)
from tracker.options import Options
from tracker.run.claims import Claims
from tracker.sinks import output_file
from tracker.text import harmless
from tracker.trackers.make import TRACKERS, make_tracker
from tracker.trackers.settings import NEED_LOOKS


@click.command()
@click.argument("results", nargs=-1, type=FILE, metavar="[RESULTS]...")
@click.option("--gt", type=FILE, help="Ground truth: SEQUENCE/gt/gt.txt.  [default: the --detections folder]")
@click.option(
    "--detections",
    type=FILE,
    help="Track SEQUENCE/det/det.txt with the trackers of this package and score them.",
)
@click.option("--seqs", multiple=True, metavar="NAME", help="Only sequences whose name starts with NAME.")
@click.option(
    "--benchmark",
    type=click.Choice(["auto", *BENCHMARKS]),
    default="auto",
    show_default=True,
    help="Evaluation rules: MOT15 scores every row; the others score pedestrians and ignore distractors.",
)
@click.option("--save", type=FILE, help="With --detections: save the tracks as FOLDER/TRACKER/SEQUENCE.txt.")
@click.option("--overwrite", is_flag=True, help="With --save: replace existing files.")
@click.option(
    "--tracker",
    "kinds",
    type=click.Choice(list(TRACKERS)),
    multiple=True,
    default=[kind for kind in TRACKERS if kind not in NEED_LOOKS],
    show_default=True,
    help="With --detections: trackers to run.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@same_as(Options, "conf")
@same_as(Options, "new_track_thresh")
@same_as(Options, "match_thresh")
@same_as(Options, "lost")
@click.option("--refine", is_flag=True, help="With --detections: fill gaps and smooth finished tracks.")
def command(
    results: tuple[Path, ...],
    gt: Path | None,
    detections: Path | None,
    seqs: tuple[str, ...],
    benchmark: str,
    save: Path | None,
    overwrite: bool,
    kinds: tuple[str, ...],
    as_json: bool,
    **settings: Any,
) -> None:
    """Score tracks against ground truth: HOTA, DetA, AssA, MOTA, IDF1, id switches and more.

    RESULTS are folders of MOTChallenge text (SEQUENCE.txt, as --save-mot writes it), or single files if the
    ground truth is one sequence. Several are scored one after the other.
    """
    if not results and detections is None:
        raise click.UsageError("nothing to score; give RESULTS, or --detections FOLDER")
    for kind in kinds:
        if kind in NEED_LOOKS:
            raise click.UsageError(
                f"--tracker {kind} compares what objects look like, and det.txt has boxes only; "
                "use track compare VIDEO --truth FOLDER"
            )
    truth_folder = gt or detections
    if truth_folder is None:
        raise click.UsageError("no ground truth; add --gt FOLDER with SEQUENCE/gt/gt.txt")
    if save is not None and detections is None:
        raise click.UsageError("--save needs --detections; RESULTS are saved already")
    truths = find_sequences(truth_folder, "gt", seqs)
    places = {
        (kind, one.name): save / kind / f"{one.name}.txt"
        for kind in kinds
        for one in truths
        if save is not None
    }
    with ExitStack() as stack:
        claims = stack.enter_context(Claims())
        for path in (*results, truth_folder, *filter(None, [detections])):
            claims.read("what is scored", path)
        for path in places.values():
            claims.write("--save", path)
            if path.parent.is_dir():
                output_file.check(path, overwrite)
        found = _score(results, detections, truths, benchmark, kinds, settings, places, overwrite)
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        click.echo("\n\n".join(f"{harmless(name)}\n{table(scores)}" for name, scores in found.items()))


def _score(
    results: Sequence[Path],
    detections: Path | None,
    truths: Sequence[MotSequence],
    benchmark: str,
    kinds: Sequence[str],
    settings: Mapping[str, Any],
    places: Mapping[tuple[str, str], Path],
    overwrite: bool,
) -> dict[str, Scores]:
    """Score results and trackers in turn; what trackers found is kept in ``places``, where there are any."""
    found: dict[str, Scores] = {}
    for folder in results:
        rows = {one.name: read_tracks(find_result(folder, one.name)) for one in truths}
        found[str(folder)] = score(truths, rows, benchmark)
    if detections is not None:
        options = Options(**settings)
        stored = find_sequences(detections, "det", [one.name for one in truths])
        for kind in kinds:
            rows = {
                one.name: follow(
                    one, make_tracker(kind, options.tracker_settings, one.fps), second_pass=options.refine
                )
                for one in stored
            }
            for name in rows:
                if (kind, name) in places:
                    write_rows(places[kind, name], rows[name], overwrite=overwrite)
            found[kind] = score(truths, rows, benchmark)
    return found
