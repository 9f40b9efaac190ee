"""The worker that one writes first: what speed is compared with. `python -m benchmarks.straightforward_worker VIDEO MODEL OUT.json`

Belongs here: the earlier system's way, as plainly as it is usually written: OpenCV opens the file twice, every frame of it is read in both
passes, every sampled one is made 640 pixels wide, BlazePose (full, as published, with its segmentation head) follows one person, each
landmark is a dict, each pass a JSON document. No database, no guardrail, no second look at a delivery, no metric. Does not belong here:
anything clever.

The earlier system's quick pass read on to the end of the file. What it would have cost to stop after its 30 s is told beside it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

QUICK_FPS, QUICK_SECONDS, DEEP_FPS, WIDTH = 5, 30.0, 10, 640


def look(video: Path, model: Path, fps: float, until_s: float | None) -> tuple[list[dict[str, Any]], float, float]:
    """One pass: the sampled frames as dicts; CPU and wall seconds that came after the last sampled frame."""
    import cv2
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)), running_mode=vision.RunningMode.VIDEO, num_poses=1
    )
    capture = cv2.VideoCapture(str(video))
    video_fps = capture.get(cv2.CAP_PROP_FPS)
    step = max(1, round(video_fps / fps))
    frames, number, looked_until = [], 0, (time.process_time(), time.monotonic())
    with vision.PoseLandmarker.create_from_options(options) as landmarker:
        while True:
            read, picture = capture.read()
            if not read:
                break
            t_s = number / video_fps
            if number % step == 0 and (until_s is None or t_s <= until_s):
                height, width = picture.shape[:2]
                small = cv2.resize(picture, (WIDTH, round(height * WIDTH / width)))
                image = mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
                result = landmarker.detect_for_video(image, round(t_s * 1000))
                landmarks = [
                    {"x": point.x, "y": point.y, "z": point.z, "visibility": point.visibility}
                    for person in result.pose_landmarks[:1]
                    for point in person
                ]
                frames.append({"frame": number, "t": t_s, "detected": bool(landmarks), "landmarks": landmarks})
                looked_until = time.process_time(), time.monotonic()
            number += 1
    capture.release()
    return frames, time.process_time() - looked_until[0], time.monotonic() - looked_until[1]


def published_model(folder: Path) -> Path:
    """The full bundle with its segmentation head, as published; fetched and built where it is missing.

    Raises RuntimeError where no source gives it.
    """
    from cricksy_pipeline.analysis.model_bundle import build_bundle, read_network
    from cricksy_pipeline.analysis.model_sources import SOURCES, SourceFailed

    path = folder / "pose_full_with_segmentation.task"
    if not path.exists():
        failures = []
        for source in SOURCES.values():
            try:
                raw = source("full")
                break
            except SourceFailed as failure:
                failures.append(str(failure))
        else:
            raise RuntimeError("; ".join(failures))
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(build_bundle(read_network(raw.detector), read_network(raw.landmarks)))
    return path


def main(video: Path, model: Path, out: Path) -> dict[str, Any]:
    """Both passes, written to `out`; what is worth knowing of them."""
    quick, rest_cpu_s, rest_wall_s = look(video, model, QUICK_FPS, QUICK_SECONDS)
    out.with_suffix(".quick.json").write_text(json.dumps({"frames": quick}))
    deep, _, _ = look(video, model, DEEP_FPS, None)
    out.write_text(json.dumps({"frames": deep}))
    return {
        "quick_frames": len(quick),
        "deep_frames": len(deep),
        "found": sum(frame["detected"] for frame in deep),
        "quick_beyond_30s_cpu_s": rest_cpu_s,
        "quick_beyond_30s_wall_s": rest_wall_s,
    }


if __name__ == "__main__":
    print(json.dumps(main(*map(Path, sys.argv[1:4]))))
