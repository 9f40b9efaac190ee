"""What cannot be saved: decoding alone, inference alone, Dagster alone. Each in a process of its own.

    python -m benchmarks.floors decode VIDEO
    python -m benchmarks.floors read VIDEO
    python -m benchmarks.floors inference VIDEO MODEL
    python -m benchmarks.floors empty JOB RUN

Belongs here: the least that a part of the work can cost with the libraries in use. Does not belong here: measuring whole processes
(`watched_process`), comparing (`speed`).

decode: every frame, one thread, no conversion. read: what the product's reader does for the deep grid, converted and scaled. inference: the
pruned full network follows one person over the grid's frames, 640 pixels wide, decoded beforehand in pieces whose decoding is not counted.
empty: a run that Dagster sees exactly as the real run RUN of JOB, in which nothing is done: cold, then warm.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

WIDTH, DEEP_FPS, PIECE, WARM_RUNS = 640, 10, 300, 10


def decode(video: str) -> dict[str, Any]:
    """All frames, one thread, nothing made of them."""
    import av

    with av.open(video) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count, stream.codec_context.thread_type = 1, "NONE"
        began = time.process_time(), time.monotonic()
        frames = sum(1 for _ in container.decode(stream))
    return _clocked(began, frames)


def read(video: str) -> dict[str, Any]:
    """The deep grid's frames through the product's reader, 360 pixels on the shorter side."""
    from cricksy_pipeline.analysis.sampling import grid_frames
    from cricksy_pipeline.analysis.video import index_video, read_frames

    index = index_video(Path(video))
    grid = grid_frames(index.t_s, DEEP_FPS)
    began = time.process_time(), time.monotonic()
    frames = sum(1 for _ in read_frames(Path(video), index, grid, short_side=360))
    return _clocked(began, frames)


def inference(video: str, model: str) -> dict[str, Any]:
    """The landmarker over the grid's frames; clocked is nothing but its calls."""
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=model), running_mode=vision.RunningMode.VIDEO, num_poses=1
    )
    cpu_s = wall_s = 0.0
    frames = found = 0
    pictures = _grid_pictures(video)
    with vision.PoseLandmarker.create_from_options(options) as landmarker:
        while piece := list(islice(pictures, PIECE)):
            images = [(mp.Image(image_format=mp.ImageFormat.SRGB, data=picture), ms) for picture, ms in piece]
            began = time.process_time(), time.monotonic()
            for image, ms in images:
                found += bool(landmarker.detect_for_video(image, ms).pose_landmarks)
            cpu_s, wall_s = cpu_s + time.process_time() - began[0], wall_s + time.monotonic() - began[1]
            frames += len(images)
    return {"clocked_cpu_s": cpu_s, "clocked_wall_s": wall_s, "frames": frames, "found": found}


def empty(job_id: str, run_id: str) -> dict[str, Any]:
    """CPU and wall of this process until the first empty run has ended, and of each further one. Reads the settings of its environment."""
    import psutil

    from benchmarks.echoed_run import echoing_job, listen
    from cricksy_pipeline import stack
    from cricksy_pipeline.orchestration.local_run import QUIET, warm_runs
    from cricksy_pipeline.orchestration.partitions import videos
    from cricksy_pipeline.settings import Settings

    settings = Settings()
    with warm_runs(settings, stack.open_job_store(settings)) as runs:
        before = time.process_time(), time.monotonic()
        echo = listen(runs.instance, run_id)  # the measurement's own work, not a run's
        listening = time.process_time() - before[0], time.monotonic() - before[1]
        job = echoing_job(echo)

        def one() -> None:
            runs.instance.add_dynamic_partitions(videos.name, [job_id])
            job.execute_in_process(instance=runs.instance, partition_key=job_id, run_config=QUIET, run_id=str(uuid4()))

        one()
        cold_cpu_s = time.process_time() - listening[0]
        cold_wall_s = time.time() - psutil.Process().create_time() - listening[1]
        began = time.process_time(), time.monotonic()
        for _ in range(WARM_RUNS):
            one()
        warm = _clocked(began, WARM_RUNS)
    return {
        "cold_cpu_s": cold_cpu_s,
        "cold_wall_s": cold_wall_s,
        "warm_cpu_s": warm["clocked_cpu_s"] / WARM_RUNS,
        "warm_wall_s": warm["clocked_wall_s"] / WARM_RUNS,
        "runs": 1 + WARM_RUNS,
        "events": echo.events,
    }


def _grid_pictures(video: str):
    """(picture, milliseconds) of each third frame, or whatever makes ten a second."""
    import av

    with av.open(video) as container:
        stream = container.streams.video[0]
        step = max(1, round(stream.average_rate / DEEP_FPS))
        for i, frame in enumerate(container.decode(stream)):
            if i % step == 0:
                height = round(frame.height * WIDTH / frame.width)
                yield frame.to_ndarray(format="rgb24", width=WIDTH, height=height), round(frame.time * 1000)


def _clocked(began: tuple[float, float], frames: int) -> dict[str, Any]:
    return {"clocked_cpu_s": time.process_time() - began[0], "clocked_wall_s": time.monotonic() - began[1], "frames": frames}


if __name__ == "__main__":
    print(json.dumps({"decode": decode, "read": read, "inference": inference, "empty": empty}[sys.argv[1]](*sys.argv[2:])))
