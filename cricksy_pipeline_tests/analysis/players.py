"""Players for the tests of the analysis: rendered truth as landmarks, with noise and other trouble put in.

Belongs here: making landmarks. Does not belong here: any expectation.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.documents import AnalysisMode, AnalysisResults, Findings, MetricsBlock, PoseSummary, Report, ResultsMeta
from cricksy_pipeline.analysis.findings import build_findings
from cricksy_pipeline.analysis.kinematics import body_height_px
from cricksy_pipeline.analysis.landmarks import BURST, GRID_DEEP, INDEX, Landmarks
from cricksy_pipeline.analysis.metrics.measure import measure
from cricksy_pipeline.analysis.recording import Recording
from cricksy_pipeline.analysis.report import build_report
from cricksy_pipeline.sample.clip import ClipSpec, Faults, truth_landmarks

BATTING, BOWLING = AnalysisMode.BATTING, AnalysisMode.BOWLING
WICKETKEEPING, FIELDING = AnalysisMode.WICKETKEEPING, AnalysisMode.FIELDING
MODE_OF = {"drive": BATTING, "bowl": BOWLING, "keep": WICKETKEEPING, "throw": FIELDING, "catch": FIELDING}
"""What a rendered movement is analysed as."""


@lru_cache(maxsize=64)
def player(motion: str = "drive", view: str = "side", fps: Any = 30, seconds: float = 4.0, noise: float = 0.0, **choices: Any) -> Landmarks:
    """True landmarks of a rendered player. noise: per axis, as a share of the thigh. Other choices: faults, or ClipSpec's."""
    faults = {name: choices.pop(name) for name in list(choices) if name in Faults.__dataclass_fields__}
    spec = ClipSpec(motion=motion, view=view, fps=fps, seconds=seconds, faults=Faults(**faults), **choices)
    seen = truth_landmarks(spec)
    return noisy(seen, noise) if noise else seen


def noisy(seen: Landmarks, share_of_thigh: float, seed: int = 7) -> Landmarks:
    """White noise on every landmark."""
    size = 0.245 * body_height_px(seen.xy.astype(float))
    jitter = np.random.default_rng(seed).normal(0, share_of_thigh * size, seen.xy.shape)
    return replace(seen, xy=(seen.xy + jitter).astype(np.float32))


def on_grid(seen: Landmarks, fps: float) -> Landmarks:
    """Only the frames of a grid of `fps`, as a pass that samples sparsely sees them."""
    wanted = np.arange(0, seen.t_s[-1] + 1e-9, 1 / fps)
    nearest = np.unique(np.abs(seen.t_s[None] - wanted[:, None]).argmin(axis=1))
    return replace(seen.select(nearest), source=np.full(len(nearest), GRID_DEEP, np.uint8))


def with_bursts(seen: Landmarks, windows: list[tuple[float, float]], grid_fps: float = 10.0) -> Landmarks:
    """The grid, and every frame inside the windows: what the deep pass ends up with."""
    grid = on_grid(seen, grid_fps)
    inside = np.zeros(len(seen), bool)
    for start, end in windows:
        inside |= (seen.t_s >= start) & (seen.t_s <= end)
    inside &= ~np.isin(seen.frame, grid.frame)
    return grid.merged(replace(seen.select(inside), source=np.full(int(inside.sum()), BURST, np.uint8)))


def nobody(n: int = 120, fps: float = 30.0) -> Landmarks:
    """An empty net."""
    return replace(player(fps=30, seconds=n / 30, player=False), t_s=np.arange(n) / fps)


def standing(seconds: float = 4.0, fps: float = 30.0) -> Landmarks:
    """A batter in his stance who never moves, seen with the usual noise."""
    base = player(fps=30, seconds=seconds)
    return noisy(replace(base, xy=np.repeat(base.xy[:1], len(base), axis=0), t_s=np.arange(len(base)) / fps), 0.015)


def raising_both_hands(held_together_s: float, fps: float = 30.0) -> Landmarks:
    """Someone whose hands come up fast, meet overhead, stay together so long and part again: a clap or a catch."""
    base = player(fps=30, seconds=4.0)
    t, size = np.arange(len(base)) / fps, body_height_px(base.xy.astype(float))
    xy = np.repeat(base.xy[:1], len(base), axis=0).astype(float)
    meet_s, move_s = 1.5, 0.3
    raised = np.interp(t, [meet_s - move_s, meet_s, meet_s + held_together_s, meet_s + held_together_s + move_s], [0, 1, 1, 0])
    middle = (xy[:, INDEX["left_hip"]] + xy[:, INDEX["right_hip"]]) / 2
    for side, sign in (("left", 1), ("right", -1)):
        wide = sign * size * (0.03 + 0.30 * np.minimum(1 - raised, 0.5) * 2)
        xy[:, INDEX[f"{side}_wrist"]] = middle + np.stack([wide, -0.55 * size * raised], -1)
    return noisy(replace(base, xy=xy.astype(np.float32), t_s=t), 0.005)


def walking(seconds: float = 8.0, fps: float = 30.0) -> Landmarks:
    """Someone walking across the picture, arms and legs swinging in turn."""
    base = player(fps=30, seconds=seconds)
    t, size = np.arange(len(base)) / fps, body_height_px(base.xy.astype(float))
    xy = np.repeat(base.xy[:1], len(base), axis=0).astype(float)
    xy[..., 0] += (0.6 * size * t)[:, None]
    swing = 0.12 * size * np.sin(2 * np.pi * 0.9 * t)
    for side, sign in (("left", 1), ("right", -1)):
        hip = xy[:, INDEX[f"{side}_hip"]]
        for part, reach in (("wrist", 1.0), ("pinky", 1.1), ("index", 1.1), ("thumb", 1.1), ("elbow", 0.4)):
            xy[:, INDEX[f"{side}_{part}"]] = hip + np.stack([sign * reach * swing, np.full(len(t), -0.05 * size)], -1)
        for part, reach in (("ankle", 1.2), ("heel", 1.2), ("foot_index", 1.2), ("knee", 0.5)):
            xy[:, INDEX[f"{side}_{part}"], 0] += -sign * reach * swing
    return noisy(replace(base, xy=xy.astype(np.float32), t_s=t), 0.015)


def found_rate(seen: Landmarks) -> float:
    """Percent of the frames in which somebody was found."""
    return 100 * float(seen.found.mean()) if len(seen) else 0.0


def duration_of(seen: Landmarks) -> float:
    """Seconds to the end of the last frame, near enough."""
    return float(seen.t_s[-1]) + 0.05 if len(seen) else 1.0


def analysed(seen: Landmarks, mode: AnalysisMode) -> tuple[MetricsBlock, Findings, Report]:
    """Metrics, findings and report of one pass over the landmarks."""
    block = measure(seen, mode=mode, recording=Recording(duration_of(seen)))
    findings = build_findings(block, mode=mode, detection_rate_percent=found_rate(seen), duration_s=duration_of(seen))
    return block, findings, build_report(findings, block, mode=mode)


def results_document(seen: Landmarks, mode: AnalysisMode) -> AnalysisResults:
    """A whole results document over the landmarks."""
    block, findings, report = analysed(seen, mode)
    summary = PoseSummary(
        total_frames=max(1, len(seen)), sampled_frames=len(seen), burst_frames=0, frames_with_pose=int(seen.found.sum()),
        detection_rate_percent=found_rate(seen), video_fps=30.0, variable_rate=False, width=seen.width, height=seen.height, rotation_deg=0,
        duration_s=duration_of(seen), model="blazepose-full", model_sha256="0" * 64, subject={},
    )  # fmt: skip
    meta = ResultsMeta(
        job_id="job", pass_name="deep", sample_fps=10.0, max_seconds=None, analysis_mode=mode, analysis_mode_used=mode,
        analysis_version="v", code_version="c", source_sha256="1" * 64,
    )  # fmt: skip
    return AnalysisResults(pose_summary=summary, metrics=block, findings=findings, report=report, meta=meta, outputs={})
