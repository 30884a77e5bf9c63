"""COCO's JSON with ``track_id``: to look at results, correct them and train on them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bytetrack import Tracks
from bytetrack.rotated import corners
from tracker.drawing.shapes import JOINTS, LIMBS, SURE
from tracker.sinks.shape_text import as_json
from tracker.sinks.whole_file import WholeFileSink
from tracker.types import Json, Result, Scene

KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)
VISIBLE, LABELLED = 2, 1  # COCO's v: seen, and there but not seen


class CocoSink(WholeFileSink):
    """``{"info", "licenses", "categories", "annotations", "images"}``, one annotation per track and frame.

    ``image_id`` is the frame's number from 0, ``category_id`` the class's number and 1. ``bbox`` is left,
    top, width, height. Keypoints have COCO's v: 2 seen, 1 not sure, 0 not known. Of a box that is turned
    ``segmentation`` is its four corners, and ``rotated`` tells centre, size and angle in radians.
    """

    def __init__(self, path: str | Path, scene: Scene, *, overwrite: bool = False) -> None:
        super().__init__(path, overwrite=overwrite)
        self._scene = scene
        self._count = 0
        self._images: list[tuple[int, float]] = []
        self._joints = 0

    def write(self, result: Result) -> None:
        """Write the annotations of one frame."""
        tracks, index = result.tracks, result.frame.index
        self._images.append((index, result.frame.time))
        for row in range(len(tracks)):
            self._count += 1
            text = json.dumps(self._annotation(tracks, row, index), separators=(",", ":"))
            self.put(("," if self._count > 1 else "") + "\n" + text)

    def _annotation(self, tracks: Tracks, row: int, index: int) -> dict[str, Json]:
        x1, y1, x2, y2 = tracks.xyxy[row].astype(float).tolist()
        made: dict[str, Json] = {
            "id": self._count,
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
            self._joints = len(points)
            seen = np.where(points[:, 2] >= SURE, VISIBLE, np.where(points[:, 2] > 0, LABELLED, 0))
            flat = np.column_stack([points[:, :2], seen]).ravel().tolist()
            made |= {"keypoints": flat, "num_keypoints": int(np.count_nonzero(seen))}
            made["keypoint_scores"] = points[:, 2].tolist()
        if "rotated" in shape and tracks.rotated is not None:
            around = corners(tracks.rotated[[row]]).round(2).ravel().tolist()
            area = float(tracks.rotated[row, 2] * tracks.rotated[row, 3])
            made |= {"segmentation": [around], "rotated": shape["rotated"], "area": round(area, 2)}
        return made

    def head(self) -> str:
        """Return what comes before the annotations."""
        categories: list[dict[str, Json]] = []
        for class_id, name in sorted(self._scene.names.items()):
            category: dict[str, Json] = {"id": class_id + 1, "name": name, "supercategory": ""}
            if self._joints == JOINTS:
                skeleton = [[start + 1, end + 1] for start, end in LIMBS]
                category |= {"keypoints": [*KEYPOINTS], "skeleton": skeleton}
            elif self._joints:
                category["keypoints"] = [f"point_{number}" for number in range(1, self._joints + 1)]
            categories.append(category)
        told = json.dumps(categories, separators=(",", ":"))
        info = json.dumps({"description": self._scene.source, "fps": round(self._scene.fps, 3)})
        return f'{{"info":{info},\n"licenses":[],\n"categories":{told},\n"annotations":['

    def tail(self) -> str:
        """Return the images."""
        width, height = self._scene.size
        images = (
            json.dumps(
                {
                    "id": index,
                    "file_name": f"frame_{index:06d}.png",
                    "width": width,
                    "height": height,
                    "frame": index,
                    "time_s": round(time, 6),
                },
                separators=(",", ":"),
            )
            for index, time in self._images
        )
        return '\n],\n"images":[\n' + ",\n".join(images) + "\n]}\n"
