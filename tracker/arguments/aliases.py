"""Options of other programs, and what does the same here: one table, no code per word.

Sources: ultralytics 8.4 (``cfg/default.yaml``, ``cfg/trackers/*.yaml``) and yolov5's ``detect.py``,
ByteTrack's ``tools/demo_track.py``, supervision's ``ByteTrack`` and its examples, roboflow's ``trackers``,
boxmot's ``track``, norfair's ``Tracker``; and words that many programs use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Words, as written with underscores, and what to do here; {value} is what was given, {seconds} that / 30.
# fmt: off
TABLE: tuple[tuple[str, str], ...] = (
    ("data epochs time patience save_period cache workers pretrained cls_remap optimizer seed deterministic single_cls rect cos_lr close_mosaic amp fraction freeze multi_scale channels_last overlap_mask mask_ratio dropout val split plots format keras optimize dynamic simplify opset workspace lr0 lrf momentum weight_decay warmup_epochs warmup_momentum warmup_bias_lr distill_model dis box cls cls_pw dfl pose kobj rle angle dlog dgrad dlam nbs hsv_h hsv_s hsv_v degrees translate scale shear perspective flipud fliplr bgr mosaic mixup cutmix copy_paste copy_paste_mode auto_augment erasing nms_export n_trials evolve", "it is for training, testing or exporting a network, which ultralytics does"),
    ("source video input i path source_video_path camid video_path file", "a source needs no option: track {value}"),
    ("project name exist_ok out out_dir output_dir target_video_path save_dir expn experiment_name n save_path output_path output_video out_filename", "-o FILE names the video, and each of --save-csv, --save-mot, --events, --counts its own file"),
    ("persist p", "ids always last for the whole run; --state FILE keeps them for the next run"),
    ("save_txt mot txt save_mot_results write_mot", "--save-mot FILE (MOTChallenge text) or --save-csv FILE (a table with times and classes)"),
    ("stream stream_buffer buffer", "nothing to choose: files lose no frame, and live sources keep only the newest"),
    ("track_buffer lost_track_buffer hit_counter_max max_age", "--lost {seconds}: seconds an unseen object keeps its id (track_buffer / 30)"),
    ("minimum_matching_threshold iou_match distance_threshold", "--match-thresh COST, the maximum cost 1 - IoU * score of the first match"),
    ("track_low_thresh low_thresh second_match_thresh", "the second match is fixed as in the paper: boxes from 0.1 up, costs up to 0.5"),
    ("with_reid reid reid_model reid_weights proximity_thresh appearance_thresh embedder", "--appearance color or self, or --appearance MODEL.onnx for a ReID network"),
    ("gmc gmc_method cmc cmc_method", "--camera-motion on, or auto: only while the camera moves"),
    ("region roi polygon zone_configuration_path zone_points", "--zone 'x,y x,y x,y' or --zones FILE"),
    ("show_trajectories trails trajectories traces show_traces paths route", "--plugin route draws and saves the routes of objects"),
    ("class classes_to_track class_ids filter_classes", "--classes {value}: names or ids, comma separated"),
    ("skip_frames frame_skip stride vid_strides frame_interval skip", "--vid-stride N processes every N-th frame only; --detect-every N detects on every N-th and predicts in between"),
    ("task mode", "leave it out: track only tracks"),
    ("fuse_score fuse_scores", "--tracker bytetrack fuses scores as in the paper; motion also compares heights"),
    ("conf_thres conf_threshold confidence confidence_threshold threshold track_thresh track_high_thresh track_activation_threshold det_thresh score_thresh", "--conf {value}: the track threshold; weaker boxes from 0.1 up are kept for the second match"),
    ("hide hide_label no_labels", "labels are drawn by default; --show-labels off omits them, --no-save omits the video"),
    ("hide_confidence no_conf", "scores are in the labels by default; --show-conf off omits them"),
    ("color_lookup color_mode color_by_class colors", "--color-by id gives each id a colour, --color-by class each class"),
    ("anonymize anonymise blur_faces privacy pixelate", "--blur person blurs people, --blur face their faces (with weights of a pose model)"),
    ("save save_result save_video", "the video is written by default; --no-save omits it, -o FILE names it"),
    ("nosave", "--no-save"),
    ("save_conf", "scores are always in the files of --save-csv and --save-mot"),
    ("save_crop", "--follow ID --crop FILE writes a close-up of one object"),
    ("save_frames", "-o FILE writes a video; ffmpeg -i VIDEO frame_%05d.png splits it into frames"),
    ("csv", "--save-csv FILE"),
    ("json", "--save-json FILE"),
    ("view_img display view show_video", "--show"),
    ("verbose", "progress and a table are shown by default; -q omits them, --profile prints where the time went"),
    ("debug", "--profile prints where the time went"),
    ("update", "leave it out"),
    ("cfg config", "give options on the command line, and lines and zones by --zones FILE"),
    ("visualize", "pictures of the network's layers are not available"),
    ("embed", "embeddings are not written; --appearance MODEL.onnx compares them"),
    ("augment", "test-time augmentation is not available; --imgsz 1280 finds smaller objects"),
    ("agnostic_nms", "always on: of two boxes on one object the weaker is removed, whatever their classes (--iou)"),
    ("per_class", "an object is tracked across classes, and its class is decided by vote"),
    ("retina_masks masks pose keypoints obb", "leave it out, the weights decide: --weights yolov8n-seg.pt finds masks, yolov8n-pose.pt keypoints, yolov8n-obb.pt rotated boxes"),
    ("iou_thres iou_threshold nms", "--iou {value}"),
    ("sahi slicer slice slices slicing tile tiling", "--tiles auto"),
    ("slice_wh slice_height slice_width slice_size", "--tiles WIDTHxHEIGHT"),
    ("overlap_ratio_wh overlap_height_ratio overlap_width_ratio overlap_wh", "tiles overlap by a fifth (--tiles)"),
    ("img img_size image_size tsize size resolution resize", "--imgsz {value}"),
    ("line_thickness thickness", "--line-width {value}"),
    ("gpu cuda", "--device 0"),
    ("cpu", "--device cpu"),
    ("fp16", "--half on a GPU, --precision bf16 on a CPU that supports it"),
    ("quantize", "--int8"),
    ("trt engine", "--backend torch runs what ultralytics exported: --weights FOLDER"),
    ("dnn compile", "--backend openvino or torch"),
    ("fuse", "layers are always fused"),
    ("end2end", "duplicate boxes are always removed (--iou)"),
    ("ckpt c weight weights_path source_weights_path yolo_model yolo_weights detector", "--weights {value}"),
    ("exp_file", "--weights FILE is enough"),
    ("batch_size", "--batch {value}"),
    ("tracking_method tracker_type", "--tracker motion, bytetrack, botsort, strongsort, deepsort or sort"),
    ("tracking_config", "use --tracker, --conf, --new-track-thresh, --match-thresh and --lost"),
    ("frame_rate", "the frame rate is taken from the file; --fps FPS if it has none"),
    ("minimum_consecutive_frames min_hits initialization_delay", "a track starts with its second box; --new-track-thresh P requires better ones"),
    ("aspect_ratio_thresh", "boxes of every shape are kept"),
    ("min_box_area", "boxes of every size are kept"),
    ("mot20", "--match-thresh 0.7, the value of ByteTrack's authors for MOT20"),
    ("target_id id", "--follow ID"),
    ("gsi postprocessing interpolate", "--refine fills gaps and smooths boxes"),
    ("count counting", "--line 'x,y x,y' counts crossings, --zone 'x,y x,y x,y' who is inside"),
    ("heatmap", "--plugin heatmap"),
    ("speed", "--plugin speed:help shows what it needs"),
    ("webhook", "--on 'KIND=http://...'"),
    ("gt", "track eval RESULTS --gt FOLDER scores against ground truth"),
    ("duration", "--end S stops at this second, --max-frames N after N frames"),
    ("limit", "--max-frames N"),
    ("force y", "--overwrite"),
    ("quiet_mode silent", "-q"),
    ("xlsx excel spreadsheet", "--save-run run.json, and then: track report run.json --xlsx FILE"),
    ("pdf", "--save-run run.json, and then: track report run.json --pdf FILE"),
    ("html", "--report FILE"),
    ("log", "--events FILE writes events as they happen"),
)
# fmt: on
ANSWERS: Mapping[str, str] = {word: told for words, told in TABLE for word in words.split()}

TRACKERS: Mapping[str, str] = {  # trackers of other programs -> the closest one here
    "bytetrack": "--tracker bytetrack; its options are --conf, --new-track-thresh, --match-thresh and --lost",
    "botsort": "--tracker botsort; with --appearance MODEL.onnx --camera-motion on as in the paper",
    "strongsort": "--tracker strongsort --appearance MODEL.onnx --camera-motion on",
    "deepsort": "--tracker deepsort --appearance MODEL.onnx",
    "fairmot": "its weights are in no package index; --appearance self is its idea with the weights of YOLO: one network for boxes and looks",
    "smiletrack": "its weights are in no package index; --tracker botsort --appearance MODEL.onnx is the closest",
    "deepocsort": "--tracker motion --appearance MODEL.onnx --camera-motion on is the closest",
    "ocsort": "--tracker motion is the closest",
    "boosttrack": "--tracker motion is the closest",
    "fasttrack": "--tracker motion is the closest",
    "hybridsort": "--tracker motion is the closest",
    "imprassoc": "--tracker motion is the closest",
    "tracktrack": "--tracker motion is the closest",
    "norfair": "--tracker motion is the closest",
    "sort": "--tracker sort",
}


def answer(word: str, value: str | None = None) -> str | None:
    """Return what does here what an option of another program does there; None where nobody has it.

    >>> answer("--conf-thres", "0.4")
    '--conf 0.4: the track threshold; weaker boxes from 0.1 up are kept for the second match'
    >>> answer("track_buffer", "60")
    '--lost 2: seconds an unseen object keeps its id (track_buffer / 30)'
    """
    text = ANSWERS.get(normal(word))
    if text is None:
        return None
    given = value or BLANKS.get(text.partition("{value}")[0], "N")
    try:
        seconds = f"{float(given) / 30:g}"
    except ValueError:
        seconds = "S"
    return text.format(value=given, seconds=seconds)


def tracker_answer(name: str) -> str | None:
    """Return what to write for a tracker that another program has, as a name or a file.

    >>> tracker_answer("cfg/trackers/ByteTrack.yaml")
    '--tracker bytetrack; its options are --conf, --new-track-thresh, --match-thresh and --lost'
    """
    stem = re.split(r"[/\\]", name.strip().lower())[-1].removesuffix(".yaml").removesuffix(".yml")
    return TRACKERS.get(re.sub(r"[^a-z]", "", stem))


def normal(word: str) -> str:
    """Return an option's name without dashes: ``--save-txt`` is ``save_txt``."""
    return word.strip().lstrip("-").replace("-", "_").lower()


def for_python(text: str) -> str:
    """Return an answer with keywords instead of flags.

    >>> for_python("--save-mot FILE or --show; --lost 2: seconds")
    'save_mot=FILE or show=True; lost=2: seconds'
    """
    text = re.sub(r"--no-save\b", "output=None", text)
    text = re.sub(r"(?<!\S)-o (\S+)", r"output=\1", text)

    def keyword(found: re.Match[str]) -> str:
        name, value = found[1].replace("-", "_"), found[2]
        return f"{name}={value.strip()}" if value else f"{name}=True" if name in FLAGS else name

    return re.sub(r"--([a-z][a-z0-9-]*)( (?:[A-Z][A-Z.a-z]*\b|[\d.]+\b|'[^']*'))?", keyword, text)


BLANKS = {"a source needs no option: track ": "video.mp4", "--classes ": "person,car"}
FLAGS = frozenset({"show", "half", "int8", "overwrite", "profile", "refine", "resume"})
