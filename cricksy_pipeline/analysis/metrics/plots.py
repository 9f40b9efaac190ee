"""The time series of a results document, at the frames of the video.

Belongs here: reading every series of the measured balls at frame times, bounded in size. Does not belong here: drawing.
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.documents import Metric, Series
from cricksy_pipeline.analysis.kinematics import body_height_px, velocity_on_timestamps
from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline.analysis.metrics.ball import Ball
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.series import series as worked_out
from cricksy_pipeline.analysis.recording import Recording

MOST_POINTS = 3_600
_SHOWN = {
    "batting": ("front_knee_deg", "head_offset_pct", "base_position", "lead_elbow_deg", "side_lean_deg", "hand_speed"),
    "bowling": ("front_knee_deg", "forward_lean_deg", "side_lean_deg", "head_lateral_pct", "hand_speed"),
}


def clip_series(balls: list[Ball], landmarks: Landmarks, metrics: dict[str, Metric], recording: Recording) -> dict[str, Series]:
    """Every series a metric was read from, and the usual ones of the discipline; with no ball, hand speed on the sampled frames.

    Args:
        balls: on the clock of life. landmarks: on the clock of the file, as every time in the answer is.
        recording: where its speed against life is not known, no series that is a speed is given.
    """
    speeds = {name for name, facts in catalogue().words["series"].items() if facts.get("speed")}
    left_out = set() if recording.timed else speeds
    if not balls:
        return {} if left_out else _hands_only(landmarks, recording)
    wanted = [metric.series for metric in metrics.values() if metric.series]
    wanted += _SHOWN["bowling" if balls[0].found.arm else "batting"]
    keep = np.array([value.frame for metric in metrics.values() for value in metric.per_delivery], dtype=np.int64)
    found = {name: _series(name, balls, keep, recording) for name in dict.fromkeys(wanted) if name not in left_out}
    return {name: series for name, series in found.items() if series is not None}


def _series(name: str, balls: list[Ball], keep: np.ndarray, recording: Recording) -> Series | None:
    """One series over all balls. `keep`: frames that stay however much is thinned out, because a value was read there."""
    times, frames, values = [], [], []
    for ball in balls:
        over_track = worked_out(ball, name)
        if over_track is None:
            continue
        track = ball.track
        start_s, end_s = ball.stretch_s
        half_frame_s = 0.5 / track.rate_hz
        inside = (track.frame_t_s >= start_s - half_frame_s) & (track.frame_t_s <= end_s + half_frame_s)
        times.append(track.frame_t_s[inside])
        frames.append(track.frame[inside])
        values.append(over_track[[track.index_at(t) for t in times[-1]]])
    if not times:
        return None
    frame, first = np.unique(np.concatenate(frames), return_index=True)
    t, value = np.concatenate(times)[first] * recording.life_factor, np.concatenate(values)[first]
    stride = max(1, -(-len(frame) // MOST_POINTS))
    chosen = (np.arange(len(frame)) % stride == 0) | np.isin(frame, keep)
    return _document(name, t[chosen], frame[chosen], value[chosen])


def _hands_only(landmarks: Landmarks, recording: Recording) -> dict[str, Series]:
    seen = landmarks.found
    t_s, frame, xy = landmarks.t_s[seen], landmarks.frame[seen], landmarks.xy[seen].astype(float)
    if len(t_s) < 3:
        return {}
    hands, hips = ((xy[:, INDEX[f"left_{part}"]] + xy[:, INDEX[f"right_{part}"]]) / 2 for part in ("wrist", "hip"))
    life_s = t_s / recording.life_factor
    speed = np.linalg.norm(velocity_on_timestamps(life_s, hands - hips), axis=-1) / body_height_px(xy)
    stride = max(1, -(-len(t_s) // MOST_POINTS))
    return {"hand_speed": _document("hand_speed", t_s[::stride], frame[::stride], speed[::stride])}


def _document(name: str, t_s: np.ndarray, frame: np.ndarray, value: np.ndarray) -> Series:
    facts = catalogue().words["series"][name]
    return Series(
        label=facts["label"],
        unit=facts["unit"],
        t_s=[round(max(float(t), 0.0), 4) for t in t_s],
        frame=[int(f) for f in frame],
        value=[round(float(v), 3) if np.isfinite(v) else None for v in value],
    )
