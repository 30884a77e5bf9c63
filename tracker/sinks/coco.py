"""COCO's JSON with ``track_id``: to look at results, correct them and train on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from bytetrack import Tracks
from bytetrack.rotated import corners
from tracker.drawing.shapes import JOINTS, LIMBS, SURE
from tracker.sinks.journal import JournalFile
from tracker.sinks.shape_text import as_json
from tracker.sinks.whole_file import WholeFileSink
from tracker.types import Json, Result

KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)
VISIBLE, LABELLED = 2, 1  # COCO's v: seen, and there but not seen


class CocoSink(WholeFileSink):
    """``{"info", "licenses", "annotations", "images", "categories"}``, one annotation per track and frame.

    ``image_id`` is the frame's number from 0, ``category_id`` the class's number and 1. ``bbox`` is left,
    top, width, height. Keypoints have COCO's v: 2 seen, 1 not sure, 0 not known. Of a box that is turned
    ``segmentation`` is its four corners, and ``rotated`` tells centre, size and angle in radians.

    A line of the journal is ``i`` and an image, or ``a`` and an annotation that has no ``id`` yet.
    """

    form: ClassVar[str] = "coco"

    def lines(self, result: Result) -> str:
        """Return the image and the annotations of one frame."""
        tracks, index = result.tracks, result.frame.index
        width, height = self._scene.size
        image: dict[str, Json] = {"id": index, "file_name": f"frame_{index:06d}.png"}
        image |= {"width": width, "height": height, "frame": index, "time_s": round(result.frame.time, 6)}
        found = [self._annotation(tracks, row, index) for row in range(len(tracks))]
        return f"i{_json(image)}\n" + "".join(f"a{_json(one)}\n" for one in found)

    @staticmethod
    def _annotation(tracks: Tracks, row: int, index: int) -> dict[str, Json]:
        x1, y1, x2, y2 = tracks.xyxy[row].astype(float).tolist()
        made: dict[str, Json] = {
            "image_id": index,
            "category_id": int(tracks.class_id[row]) + 1,
            "track_id": int(tracks.track_id[row]),
            "bbox": [round(value, 2) for value in (x1, y1, x2 - x1, y2 - y1)],
            "area": round((x2 - x1) * (y2 - y1), 2),
            "iscrowd": 0,
            "score": round(float(tracks.score[row]), 4),
        }
        shape = as_json(tracks, row)
        if "segmentation" in shape and tracks.masks is not None:
            made |= {"segmentation": shape["segmentation"], "area": int(tracks.masks.runs(row)[1::2].sum())}
        if "keypoints" in shape:
            points = np.array(shape["keypoints"]).reshape(-1, 3)
            seen = np.where(points[:, 2] >= SURE, VISIBLE, np.where(points[:, 2] > 0, LABELLED, 0))
            flat = np.column_stack([points[:, :2], seen]).ravel().tolist()
            made |= {"keypoints": flat, "num_keypoints": int(np.count_nonzero(seen))}
            made["keypoint_scores"] = points[:, 2].tolist()
        if "rotated" in shape and tracks.rotated is not None:
            around = corners(tracks.rotated[[row]]).round(2).ravel().tolist()
            area = float(tracks.rotated[row, 2] * tracks.rotated[row, 3])
            made |= {"segmentation": [around], "rotated": shape["rotated"], "area": round(area, 2)}
        return made

    @classmethod
    def whole(cls, kept: JournalFile) -> Iterator[str]:
        """Yield the text of the JSON file."""
        about = kept.about()
        info = json.dumps({"description": about["source"], "fps": round(about["fps"], 3)})
        yield f'{{"info":{info},\n"licenses":[],\n"annotations":['
        joints = count = 0
        for line in kept.lines():
            if line.startswith("a{"):
                count += 1
                if not joints and '"keypoints":' in line:
                    joints = len(json.loads(line[1:])["keypoints"]) // 3
                yield f'{"," * (count > 1)}\n{{"id":{count},{line[2:]}'
        yield '\n],\n"images":['
        comma = ""
        for line in kept.lines():
            if line.startswith("i{"):
                yield f"{comma}\n{line[1:]}"
                comma = ","
        yield f'\n],\n"categories":{_json(_categories(about["names"], joints))}}}\n'


def _categories(names: dict[str, str], joints: int) -> list[Json]:
    categories: list[Json] = []
    for number, name in sorted((int(number), name) for number, name in names.items()):
        category: dict[str, Json] = {"id": number + 1, "name": name, "supercategory": ""}
        if joints == JOINTS:
            skeleton = [[start + 1, end + 1] for start, end in LIMBS]
            category |= {"keypoints": [*KEYPOINTS], "skeleton": skeleton}
        elif joints:
            category["keypoints"] = [f"point_{number}" for number in range(1, joints + 1)]
        categories.append(category)
    return categories


def _json(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))
