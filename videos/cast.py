"""The people of the sample clip, cut by hand out of a photograph that the ultralytics package ships."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

PHOTO_SHAPE = (1080, 810, 3)  # of ultralytics/assets/bus.jpg, in whose pixels the outlines are
HIP = 0.58  # of the height from the head: below it legs swing
STRIDE = 0.25  # how far legs open beyond the pose of the photograph, of their distance from the middle

# Outlines, clockwise from the head: a man in a pale coat, and one in a dark coat.
OUTLINES = {
    "pale": """
        112,405 120,401 132,399 142,402 152,405 157,411 156,424 155,436 154,450 152,460 149,467
        156,474 163,480 172,491 175,497 176,502 181,508 182,520 184,530 187,541 194,548 200,556
        201,568 200,580 196,588 188,594 180,599 183,607 185,617 186,630 188,645 192,662 194,683
        192,690 184,691 179,688 180,702 183,725 186,740 187,758 189,775 192,795 195,815 199,835
        201,848 204,856 212,860 222,868 232,873 243,879 246,884 236,890 220,896 200,897 178,899
        176,890 177,870 180,862 177,852 174,845 168,828 163,812 159,795 154,780 151,762 148,750
        143,738 138,722 133,708 127,702 121,701 118,712 113,727 111,740 107,755 103,766 98,775
        96,790 92,805 90,818 88,835 87,850 86,860 92,868 98,878 105,886 107,893 104,899 92,899
        76,896 62,888 54,881 53,875 56,866 58,855 60,840 60,825 62,812 70,804 76,795 77,785 76,772
        72,762 72,745 73,725 73,705 72,697 62,699 59,690 58,670 60,650 62,630 62,610 62,590 62,575
        60,565 59,555 62,545 63,530 62,515 62,500 66,492 73,486 80,481 88,475 96,468 99,462 97,457
        99,450 104,446 104,437 103,425 104,415
    """,
    "dark": """
        266,415 272,410 280,406 290,407 297,411 301,417 304,427 308,438 307,446 304,452 302,460
        299,468 303,475 310,481 320,484 329,488 333,498 336,510 338,522 341,535 343,548 341,557
        335,564 327,568 322,566 323,575 323,590 325,605 328,620 330,635 332,650 335,670 338,684
        338,690 334,694 338,703 340,713 338,724 332,735 322,742 313,752 304,760 297,769 290,776
        285,781 288,790 291,800 297,809 300,816 298,820 290,818 282,811 280,818 283,826 286,835
        288,843 292,850 292,856 285,859 270,857 260,850 256,843 257,835 259,826 258,820 255,815
        254,805 250,793 248,780 246,765 244,750 242,735 242,715 243,703 235,702 224,699 225,690
        227,670 230,650 232,635 236,618 241,603 240,595 235,585 236,570 238,555 238,540 237,530
        237,522 240,512 242,500 248,493 258,487 264,478 271,473 276,466 272,455 265,448 263,441
        265,430 264,420
    """,
}


@dataclass(frozen=True)
class Look:
    """Who a walker is: an outline and what its coat and trousers are dyed with."""

    outline: str
    coat: tuple[float, float, float] = (1, 1, 1)  # BGR factors
    trousers: tuple[float, float, float] = (1, 1, 1)
    lift: float = 0.0  # added to the coat's brightness, 0-255: a dark coat cannot be dyed


def photo(name: str = "bus.jpg") -> Picture:
    """Return a photograph of the installed ultralytics package, which is found but not imported.

    Raises ``FileNotFoundError`` where there is none, ``ValueError`` where it is not the one drawn on.
    """
    spec = find_spec("ultralytics")
    path = Path((spec.submodule_search_locations or [""])[0] if spec else "", "assets", name)
    picture = cv2.imread(str(path)) if path.is_file() else None
    if picture is None:
        raise FileNotFoundError(f"{path} is missing: pip install ultralytics")
    if picture.shape != PHOTO_SHAPE:
        raise ValueError(f"{path} is another photograph: shape {picture.shape}, expected {PHOTO_SHAPE}")
    return np.asarray(picture, np.uint8)


@lru_cache(maxsize=16)
def cutout(look: Look) -> Floats:
    """Return a person, (h, w, 4) BGR and coverage 0-1, premultiplied, at half the photograph's size."""
    points = np.array([pair.split(",") for pair in OUTLINES[look.outline].split()], np.int32)
    low, high = points.min(axis=0) - 4, points.max(axis=0) + 5
    low, high = low // 2 * 2, (high + 1) // 2 * 2  # even, so that half of it has whole pixels
    part = photo()[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    cover = np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(cover, [points - low], 255, cv2.LINE_AA)
    soft = cv2.GaussianBlur(cover, (0, 0), 1.2).astype(np.float32) / 255
    soft = np.clip(soft * 1.6 - 0.6, 0, 1)  # the soft edge lies inside: nothing of the street comes along
    _dye(part, look)
    person = np.dstack([part * soft[..., None], soft])
    size = (person.shape[1] // 2, person.shape[0] // 2)
    return np.asarray(cv2.resize(person, size, interpolation=cv2.INTER_AREA), np.float32)


def _dye(part: Floats, look: Look) -> None:
    rows = np.linspace(0, 1, len(part), dtype=np.float32)[:, None, None]
    coat = np.clip((rows - 0.14) * 40, 0, 1) * np.clip((0.60 - rows) * 40, 0, 1)  # between chin and hem
    legs = np.clip((rows - 0.60) * 40, 0, 1) * np.clip((0.92 - rows) * 40, 0, 1)
    part += coat * look.lift
    for weight, factors in ((coat, look.coat), (legs, look.trousers)):
        part *= 1 + weight * (np.array(factors, np.float32) - 1)
    np.clip(part, 0, 255, out=part)


def posed(look: Look, height: float, phase: float, *, mirrored: bool, shift: float) -> Floats:
    """Return the person ``height`` pixels tall, legs at ``phase`` (radians) of a step.

    ``shift`` (0 to 1) moves it to the right by a part of a pixel, so that slow walking does not jerk.
    The column of the ground point is the middle of the picture, its row the last one.
    """
    person = cutout(look)
    h, w = person.shape[:2]
    scale = height / h
    out_h, half = round(height), int(w * scale * (1 + STRIDE) / 2) + 2
    rows = (np.arange(out_h, dtype=np.float32) + 0.5) / out_h
    swing = 1 + STRIDE * (0.5 + 0.5 * np.sin(phase)) * np.clip((rows - HIP) / (1 - HIP), 0, 1)
    columns = (np.arange(2 * half, dtype=np.float32) + 0.5 - half - shift) / scale
    map_x = columns[None, :] / swing[:, None] * (-1 if mirrored else 1) + w / 2 - 0.5
    map_y = np.repeat((rows * h - 0.5)[:, None], 2 * half, axis=1)
    return np.asarray(
        cv2.remap(person, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR), np.float32
    )
