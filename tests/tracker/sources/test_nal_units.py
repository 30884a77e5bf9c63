"""Slices of H.264 are given to the decoder as soon as they are complete, not when the next one begins."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quick import examples
from tests.tracker.sources.rtsp import RtspServer, fragments, stamp, stamped
from tests.tracker.sources.test_live import age
from tracker.sources import open_source
from tracker.sources.nal_units import MOST_MISTAKES, START, NalUnits

PIECE = 1398  # bytes of a unit in a packet of 1400


def nal(kind: int, size: int) -> bytes:
    return bytes([0x60 | kind]) + b"\x55" * size


def as_demuxed(unit: bytes, even: bool = False) -> list[bytes]:
    """Return the packets that FFmpeg's demuxer makes of a NAL unit, which may be cut in equal pieces."""
    if even and len(unit) > PIECE:
        count = -(-len(unit) // PIECE)
        cuts = [len(unit) * k // count for k in range(count + 1)]
        parts = [unit[a:b] for a, b in pairwise(cuts)]
    else:
        parts = [part[2:] if len(unit) > 1400 else part for part in fragments(unit)]
        parts[0] = parts[0] if len(unit) <= 1400 else unit[:1] + parts[0]
    return [START + parts[0], *parts[1:]]


@given(
    st.lists(st.lists(st.integers(1, 9000), min_size=1, max_size=4), min_size=1, max_size=8),
    st.booleans(),
)
@examples(60)
def test_whatever_comes_in_goes_out_once_and_in_order(pictures: list[list[int]], even: bool) -> None:
    """However the sender cuts: a wrong guess costs a picture, at most three times, never order or memory."""
    units, sent, got = NalUnits(), [], []
    for pts, slices in enumerate(pictures):
        for size in slices:
            sent.append((pts, START + nal(1, size)))
            for packet in as_demuxed(nal(1, size), even):
                got += units.add(packet, pts)
    got += units.add(START + nal(1, 3), len(pictures))[:1]
    assert [unit.pts for unit in got] == sorted(unit.pts or 0 for unit in got)
    for unit in got:
        wanted = [data for pts, data in sent if pts == unit.pts]
        assert any(data.startswith(unit.data) for data in wanted) or unit.pts == len(pictures)
    exact = sum((unit.pts, unit.data) in sent for unit in got)
    assert exact >= len(sent) - 2 * MOST_MISTAKES - 1
    if not even:
        assert len(sent) - exact <= 1, "only the first, before it is known how large a piece is"


def test_a_unit_is_complete_with_its_last_piece() -> None:
    units = NalUnits()
    given_ = [units.add(packet, 7) for packet in as_demuxed(nal(5, 4000))]
    assert [len(each) for each in given_] == [0, 0, 1]
    (unit,) = given_[-1]
    assert unit.data == START + nal(5, 4000) and unit.is_key and unit.pts == 7


def test_parameters_wait_for_their_slice() -> None:
    units = NalUnits()
    assert units.add(START + nal(7, 20), 1) == units.add(START + nal(8, 4), 1) == []
    (unit,) = units.add(START + nal(1, 300), 1)
    assert unit.data == START + nal(7, 20) + START + nal(8, 4) + START + nal(1, 300)
    assert unit.is_key, "a stream may refresh without a key frame, but not without its parameters"


def test_a_sender_that_cuts_as_it_likes_is_waited_for_after_three_mistakes() -> None:
    units = NalUnits()
    for pts in range(MOST_MISTAKES + 1):
        for packet in (START + nal(1, 1200), b"\1" * 700, b"\2" * 900):
            units.add(packet, pts)
    assert not units.prompt
    units.add(START + nal(1, 100), 99)
    assert units.add(START + nal(1, 200), 100)[0].data == START + nal(1, 100)


def test_a_beginning_that_was_lost_is_no_mistake_of_the_sender() -> None:
    units = NalUnits()
    for pts in range(20):
        assert units.add(START + nal(7, 20), pts) == []  # parameters of the same picture came before
        assert units.add(b"\1" * 700, pts) == []
    assert units.prompt


@pytest.mark.slow
def test_a_picture_is_there_before_the_next_one_is_sent() -> None:
    """At 8 pictures a second FFmpeg's parser would hold each back for 125 ms."""
    with RtspServer(stamped, fps=8) as server, open_source(server.url) as source:
        frames = [(frame, age(frame)) for frame, _ in zip(source, range(12), strict=False)][4:]
    assert np.median([seconds for _, seconds in frames]) < 0.09
    steps = np.diff([stamp(frame.image) for frame, _ in frames])
    assert steps.max() < 0.2, "and none is missing"
