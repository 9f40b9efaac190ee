"""From landmarks to the metrics block of a results document.

Belongs here: the order of the work (deliveries, view, each metric in each ball, the mean and its uncertainty) and the one place that
says why something is null. Does not belong here: what a metric is (the discipline modules) or whether it is good (`findings`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cricksy_pipeline.analysis.documents import (
    AnalysisMode,
    Delivery,
    DeliveryValue,
    Event,
    Metric,
    MetricsBlock,
    VideoEvidence,
    VideoMoment,
    VideoSegment,
)
from cricksy_pipeline.analysis.kinematics import Track, tracks
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.metrics import batting, bowling, fielding, wicketkeeping
from cricksy_pipeline.analysis.metrics.ball import Ball, NotRead, Reading
from cricksy_pipeline.analysis.metrics.catalogue import Entry, catalogue, reason_text, wanted_view
from cricksy_pipeline.analysis.metrics.clip import Clip, look
from cricksy_pipeline.analysis.metrics.legacy import Slot, slots
from cricksy_pipeline.analysis.metrics.plots import clip_series
from cricksy_pipeline.analysis.metrics.uncertainty import mean_sigma, one_ball_sigma, probability_in_band
from cricksy_pipeline.analysis.recording import Recording
from cricksy_pipeline.analysis.view import CameraView
from cricksy_pipeline.analysis.wording import clock

FUNCTIONS = {**batting.METRICS, **bowling.METRICS, **wicketkeeping.METRICS, **fielding.METRICS}
"""Metric code -> function. A metric is one function in its discipline's module and one entry in catalogue.toml."""


def measure(landmarks: Landmarks, *, mode: AnalysisMode, recording: Recording) -> MetricsBlock:
    """Everything that can be measured in a clip, and for everything else the reason why not.

    The same function serves any sampling: what needs an event is null with RATE_TOO_LOW where the pictures are too sparse.

    Args:
        landmarks: grid and bursts together; quick pass: its grid alone.
        mode: what was filmed.
        recording: what is known of the recording itself; evidence lies inside [0, recording.duration_s].
    """
    mode, duration_s = AnalysisMode(mode), recording.duration_s
    dense = tracks(landmarks, min_rate_hz=catalogue().gates["min_rate_hz"])
    clip = look(landmarks, dense, mode)
    read = {slot.key: _read(slot, clip) for slot in slots(mode, clip.view.name)}
    metrics = {key: metric for key, (metric, _) in read.items()}
    events = [_delivery(ball, duration_s) for ball in clip.balls]
    return MetricsBlock(
        metrics=metrics,
        summary=_summary(clip, metrics, dense),
        evidence={key: _evidence(metric, duration_s) for key, (metric, _) in read.items() if metric.value is not None},
        deliveries=events,
        series=clip_series(clip.balls, landmarks, metrics),
    )


# ------------------------------------------------------------------------------------------------------------------ one metric


def _read(slot: Slot, clip: Clip) -> tuple[Metric, list[Reading]]:
    entry = slot.entry
    refusal = _refusal(slot, clip)
    if refusal is not None or entry is None:
        return _null(slot, clip, *(refusal or ("NOT_OFFERED", slot.not_offered))), []
    answers = [(ball, _in_range(FUNCTIONS[entry.code](ball), entry)) for ball in clip.balls if entry.allows(ball.view.name)]
    read = [(ball, answer) for ball, answer in answers if isinstance(answer, Reading)]
    if not read:
        code, text = _why_unread([answer for _, answer in answers if isinstance(answer, NotRead)], clip)
        return _null(slot, clip, code, text), []
    return _metric(slot, entry, clip, read), [reading for _, reading in read]


def _in_range(answer: Reading | NotRead, entry: Entry) -> Reading | NotRead:
    low, high = entry.plausible
    return NotRead("OUT_OF_RANGE") if isinstance(answer, Reading) and not low <= answer.value <= high else answer


def _refusal(slot: Slot, clip: Clip) -> tuple[str, str] | None:
    """Why no ball needs to be looked at, the most fundamental reason first; None when balls may be read."""
    gates = catalogue().gates
    if slot.entry is None:
        return "NOT_OFFERED", slot.not_offered or ""
    if not clip.coverage or clip.height_px is None:
        return "NOT_SEEN", reason_text("NOT_SEEN", coverage=round(100 * (clip.coverage or 0)))
    if not clip.balls:
        return _no_ball(clip)
    if clip.height_px < gates["min_height_px"]:
        return "TOO_SMALL", reason_text("TOO_SMALL", height=round(clip.height_px), least=round(gates["min_height_px"]))
    if not any(slot.entry.allows(ball.view.name) for ball in clip.balls):
        stood = catalogue().words["view_words"][clip.view.name or "unknown"]
        return "VIEW", reason_text("VIEW", view=stood, wanted=wanted_view(slot.entry))
    return None


def _no_ball(clip: Clip) -> tuple[str, str]:
    gates = catalogue().gates
    rate = float(f"{clip.rate_hz:.3g}")
    too_slow = clip.rate_hz < gates["min_rate_hz"]
    if clip.excluded:
        return "IMPLAUSIBLE", reason_text("IMPLAUSIBLE")
    # On a grid of 8 Hz or more a delivery leaves a mark; where there is none, more pictures would not help.
    if too_slow and (clip.moved or clip.grid_hz < gates["sparse_grid_hz"]):
        return "RATE_TOO_LOW", reason_text("RATE_TOO_LOW", rate=f"{rate:g}")
    if 100 * (clip.coverage or 0) < gates["coverage_floor_percent"]:
        return "NOT_SEEN", reason_text("NOT_SEEN", coverage=round(100 * (clip.coverage or 0)))
    return "NO_EVENT", reason_text("NO_EVENT", missing=catalogue().words["no_delivery"][clip.mode])


def _why_unread(answers: list[NotRead], clip: Clip) -> tuple[str, str]:
    """The commonest reason over the balls."""
    codes = [answer.code for answer in answers]
    code = max(sorted(set(codes)), key=codes.count)
    if code == "NO_EVENT":
        missing = next(answer.missing for answer in answers if answer.code == code)
        what = catalogue().words["event_words"].get(missing or "", missing)
        return code, reason_text(code, missing=f"It could not be told: {what}.")
    if code == "NOT_SEEN":
        return code, reason_text(code, coverage=round(100 * (clip.coverage or 0)))
    return code, reason_text(code)


def _metric(slot: Slot, entry: Entry, clip: Clip, read: list[tuple[Ball, Reading]]) -> Metric:
    values = np.array([reading.value for _, reading in read])
    view_sigma = [entry.sigma_view * _view_factor(ball.view, entry) for ball, _ in read]
    per_delivery = [
        DeliveryValue(
            delivery=ball.number,
            value=_round(reading.value),
            sigma=_round(one_ball_sigma(reading.sigma_keypoint, reading.sigma_event, entry.sigma_player, view, entry.sigma_model)),
            t_s=round(max(reading.t_s, 0.0), 4),
            frame=ball.track.frame_at(reading.t_s),
        )
        for (ball, reading), view in zip(read, view_sigma, strict=True)
    ]
    budget = float(np.sqrt(np.mean([r.sigma_keypoint**2 + r.sigma_event**2 + entry.sigma_player**2 for _, r in read])))
    if len(values) >= 3:  # what the balls really scatter by counts where it is more than the budget says
        budget = 1.25 * max(budget, float(np.std(values, ddof=1)))
    value = float(np.median(values) if len(values) >= 3 else values.mean())
    sigma = mean_sigma(budget, len(values), float(np.mean(view_sigma)), entry.sigma_model)
    return Metric(
        label=entry.label,
        score=None if entry.band is None else _round(probability_in_band(value, sigma, entry.band)),
        value=_round(value),
        unit=entry.unit,
        ci95=_interval(value, sigma, entry),
        n=len(values),
        coverage=_round(float(np.mean([ball.track.found_share for ball, _ in read]))),
        view=clip.view.name,
        definition=f"{entry.code}: {entry.definition}",
        definition_version=catalogue().version,
        band=entry.band,
        per_delivery=per_delivery,
        series=entry.series,
        reason=None,
        reason_code=None,
    )


def _interval(value: float, sigma: float, entry: Entry) -> tuple[float, float]:
    """95 % interval, cut at 0 for what cannot be negative and at 180 for a joint angle."""
    least = 0.0 if entry.plausible[0] >= 0 else -np.inf
    most = 180.0 if entry.plausible[1] > 180 else np.inf
    return _round(max(least, value - 1.96 * sigma)), _round(min(most, value + 1.96 * sigma))


def _view_factor(view: CameraView, entry: Entry) -> float:
    """2 between 20 degrees off the wanted direction and the limit of the view, 1 nearer (cricket-metrics 3.2)."""
    if view.off_side_deg is None or "any" in entry.views:
        return 1.0
    off = view.off_side_deg if view.name == "side" else 90 - view.off_side_deg
    return 2.0 if off > catalogue().gates["full_view_deg"] else 1.0


def _null(slot: Slot, clip: Clip, code: str, text: str | None) -> Metric:
    entry = slot.entry
    return Metric(
        label=slot.label,
        score=None,
        value=None,
        unit=slot.unit,
        ci95=None,
        n=0,
        coverage=None if clip.coverage is None else _round(clip.coverage),
        view=clip.view.name,
        definition=f"{entry.code}: {entry.definition}" if entry else slot.not_offered or "",
        definition_version=catalogue().version,
        band=entry.band if entry else None,
        series=None,
        reason=text,
        reason_code=code,
    )


# -------------------------------------------------------------------------------------------------------------- the rest of the block


def _summary(clip: Clip, metrics: dict[str, Metric], dense: list[Track]) -> dict[str, Any]:
    return {
        "measured": sum(metric.value is not None for metric in metrics.values()),
        "not_measured": sum(metric.value is None for metric in metrics.values()),
        "deliveries": len(clip.balls),
        "deliveries_excluded": clip.excluded,
        "delivery_movement_seen": clip.moved,
        "view": clip.view.name,
        "view_off_side_deg": None if clip.view.off_side_deg is None else round(clip.view.off_side_deg, 1),
        "view_confidence": round(clip.view.confidence, 3),
        "front_side": _commonest([ball.found.front for ball in clip.balls]),
        "arm": _commonest([ball.found.arm for ball in clip.balls]),
        "effective_fps": float(f"{clip.rate_hz:.3g}"),  # the rounding of the words that quote it
        "grid_fps": round(clip.grid_hz, 3),
        "player_height_px": None if clip.height_px is None else round(clip.height_px, 1),
        "swaps_repaired": sum(track.swaps_repaired for track in dense),
        "outliers_removed": sum(track.outliers_removed for track in dense),
        "definition_version": catalogue().version,
    }


def _commonest(names: list[str | None]) -> str | None:
    known = [name for name in names if name]
    return max(sorted(set(known)), key=known.count) if known else None


def _delivery(ball: Ball, duration_s: float) -> Delivery:
    found = ball.found
    events = [
        Event(name=name, t_s=round(max(e.t_s, 0.0), 4), sigma_s=round(e.sigma_s, 4), frame=e.frame) for name, e in found.events.items()
    ]
    return Delivery(
        delivery=ball.number, start_s=round(max(found.start_s, 0.0), 4), end_s=round(min(found.end_s, duration_s), 4), events=events
    )


def _evidence(metric: Metric, duration_s: float) -> VideoEvidence:
    """The moments a value was read from, worst first, and a second around each."""
    moments = sorted(metric.per_delivery, key=lambda d: _score(d, metric) or 0.0)
    return VideoEvidence(
        worst_frames=[VideoMoment(frame=d.frame, t_s=d.t_s, timestamp=clock(d.t_s), score=_score(d, metric)) for d in moments[:3]],
        bad_segments=[_segment(d, metric, duration_s) for d in moments[:3]],
    )


def _segment(value: DeliveryValue, metric: Metric, duration_s: float) -> VideoSegment:
    start, end = max(0.0, round(value.t_s - 0.5, 4)), round(min(duration_s, value.t_s + 0.3), 4)
    return VideoSegment(start_s=start, end_s=end, start=clock(start), end=clock(end), min_score=_score(value, metric))


def _score(value: DeliveryValue, metric: Metric) -> float | None:
    """The score of one ball; None where there is no band."""
    return None if metric.band is None else _round(probability_in_band(value.value, max(value.sigma, 1e-9), metric.band))


def _round(value: float) -> float:
    """Four decimals: a hundredth of the smallest sigma in the catalogue, the same on every machine."""
    return round(float(value), 4) + 0.0
