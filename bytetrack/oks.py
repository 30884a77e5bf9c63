"""Object keypoint similarity: how alike two skeletons are (COCO, cocodataset.org/#keypoints-eval)."""

from __future__ import annotations

import numpy as np

from bytetrack.types import FloatArray

# How much people disagree about the place of each of COCO's keypoints, as a part of the object's size
# (cocodataset/cocoapi, ``pycocotools/cocoeval.py``, ``kpt_oks_sigmas``).
COCO_SIGMAS = (
    *(0.026, 0.025, 0.025, 0.035, 0.035),  # nose, eyes, ears
    *(0.079, 0.079, 0.072, 0.072, 0.062, 0.062),  # shoulders, elbows, wrists
    *(0.107, 0.107, 0.087, 0.087, 0.089, 0.089),  # hips, knees, ankles
)
SURE = 0.5  # confidence from which a keypoint is known, as it is drawn
FEWEST = 3  # keypoints known in both: fewer tell nothing


def sigmas(joints: int) -> FloatArray:
    """Return COCO's sigmas of its 17 keypoints; of another skeleton 1 / J each, as ultralytics does.

    >>> sigmas(17)[0], sigmas(4).tolist()
    (np.float64(0.026), [0.25, 0.25, 0.25, 0.25])
    """
    return np.array(COCO_SIGMAS if joints == len(COCO_SIGMAS) else (1 / joints,) * joints)


def oks_pairs(one: FloatArray, other: FloatArray, area: FloatArray) -> FloatArray:
    """Return (E,) the similarity of the skeletons of pairs, (E, J, 3) each; NaN where too little is known.

    It is the mean, over the keypoints known in both, of exp(-d² / (2 s² k²)), with their distance d in
    pixels, the area s² (E,) of the object, and k = 2 sigma.

    >>> here = np.array([[[0, 0, 1], [9, 0, 1], [0, 9, 1], [9, 9, 0.1]]])
    >>> oks_pairs(here, here + [2, 0, 0], np.array([100.0])).round(2).tolist()
    [0.92]
    """
    known = (one[..., 2] >= SURE) & (other[..., 2] >= SURE)  # NaN is not
    apart = np.square(one[..., :2] - other[..., :2]).sum(axis=-1)
    variance = area[:, None] * np.square(2 * sigmas(one.shape[1]))
    near = np.exp(-apart / (2 * variance))
    count = known.sum(axis=1)
    similarity = np.where(known, near, 0).sum(axis=1) / np.maximum(count, 1)
    return np.asarray(np.where(count >= FEWEST, similarity, np.nan))
