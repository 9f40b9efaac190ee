"""From landmarks to the metrics block of a results document.

Belongs here: the order of the work (the clock of life, deliveries, each metric in each ball, the session), and putting the block together.
Does not belong here: what a metric is (the discipline modules), the mean and its error (`session`), the reasons for a null (`refusals`),
whether anything is good (`findings`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cricksy_pipeline.analysis.contact_sound import with_sound
from cricksy_pipeline.analysis.delivery_settings import SETTINGS
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
from cricksy_pipeline.analysis.family import detectable_distance
from cricksy_pipeline.analysis.kinematics import Track, tracks
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.metrics import batting, bowling, fielding, kinds, refusals, wicketkeeping
from cricksy_pipeline.analysis.metrics.ball import Ball, NotRead, Reading
from cricksy_pipeline.analysis.metrics.catalogue import Entry, catalogue
from cricksy_pipeline.analysis.metrics.clip import Clip, look
from cricksy_pipeline.analysis.metrics.kinds import Told
from cricksy_pipeline.analysis.metrics.legacy import Slot, slots
from cricksy_pipeline.analysis.metrics.plots import clip_series
from cricksy_pipeline.analysis.metrics.session import (
    LEAST_FOR_SPREAD,
    Context,
    ReadBall,
    read_ball,
    repeatability,
    rounded,
    says_nothing,
    summarise,
)
from cricksy_pipeline.analysis.metrics.summary import summary
from cricksy_pipeline.analysis.metrics.uncertainty import probability_in_band
from cricksy_pipeline.analysis.metrics.view_gate import off_axis_deg
from cricksy_pipeline.analysis.recording import Onsets, Recording, to_life
from cricksy_pipeline.analysis.slow_motion import recognise_speed
from cricksy_pipeline.analysis.wording import clock

FUNCTIONS = {**batting.METRICS, **bowling.METRICS, **wicketkeeping.METRICS, **fielding.METRICS}
"""Metric code -> function of one ball. A metric is one function in its discipline's module and one entry in catalogue.toml; a metric of the
scatter over balls (`bowling.REPEATABILITY`) has an entry and the metric that scatters."""

Answers = list[tuple[Ball, Reading | NotRead]]


def measure(landmarks: Landmarks, *, mode: AnalysisMode, recording: Recording) -> MetricsBlock:
    """Everything that can be measured in a clip, and for everything else the reason why not.

    The same function serves any sampling: what needs an event is null with RATE_TOO_LOW where the pictures are too sparse. Movement is
    measured on the clock of life; every time in the block is on the clock of the file, every duration and speed is of life, or null
    where the two clocks' ratio is not known.

    Args:
        landmarks: grid and bursts together; quick pass: its grid alone.
        mode: what was filmed.
        recording: what is known of the recording itself; evidence lies inside [0, recording.duration_s].
    """
    mode = AnalysisMode(mode)
    recording, dense, clip = _looked_at(landmarks, mode, recording)
    clip = _heard(clip, recording)
    told = {ball.number: _told(ball, mode, recording) for ball in clip.balls}
    context = Context(clip.view.name, told, recording.life_factor)
    chosen = slots(mode, clip.view.name)
    answers = {slot.entry.code: _ask(slot.entry, clip, told) for slot in chosen if slot.entry and slot.entry.code in FUNCTIONS}
    metrics = _with_detectable_faults({slot.key: _metric(slot, clip, context, recording, answers) for slot in chosen})
    return MetricsBlock(
        metrics=metrics,
        summary=summary(clip, metrics, dense, recording, told, _unread(chosen, answers, metrics)),
        not_offered=catalogue().not_offered[mode],
        evidence={key: _evidence(metric, recording.duration_s) for key, metric in metrics.items() if metric.value is not None},
        deliveries=[_delivery(ball, told[ball.number], recording) for ball in clip.balls],
        series=clip_series(clip.balls, landmarks, metrics, recording),
    )


def _looked_at(landmarks: Landmarks, mode: AnalysisMode, recording: Recording) -> tuple[Recording, list[Track], Clip]:
    """The recording with its speed, the tracks and the clip on the clock of life.

    Another speed is thought of only where nothing is found at the assumed one, so that tracks and deliveries of most clips are made once.
    """
    dense, clip = _at_speed(landmarks, mode, recording)
    if clip.balls or clip.excluded:
        return recording, dense, clip
    recognised = recognise_speed(landmarks, mode, recording, smooth=dense)
    return (recognised, *(_at_speed(landmarks, mode, recognised) if recognised.life_factor != recording.life_factor else (dense, clip)))


def _at_speed(landmarks: Landmarks, mode: AnalysisMode, recording: Recording) -> tuple[list[Track], Clip]:
    life = to_life(landmarks, recording)
    dense = tracks(life, min_rate_hz=catalogue().gates["min_rate_hz"])
    return dense, look(life, dense, mode)


def _heard(clip: Clip, recording: Recording) -> Clip:
    """The clip with its contacts refined by what is heard in the recording, where its speed is known."""
    if recording.onsets is None or not recording.timed:
        return clip
    onsets = Onsets(recording.onsets.t_s / recording.life_factor, recording.onsets.strength)
    return replace(clip, balls=[Ball(ball.number, with_sound(ball.found, onsets, SETTINGS), ball.view) for ball in clip.balls])


# ------------------------------------------------------------------------------------------------------------------ one metric


def _ask(entry: Entry, clip: Clip, told: Mapping[int, Told]) -> Answers:
    """What each ball says that was seen from where the metric can be read."""
    return [(ball, _answer(entry, ball, told[ball.number])) for ball in clip.balls if off_axis_deg(entry, ball.view) is not None]


def _answer(entry: Entry, ball: Ball, told: Told) -> Reading | NotRead:
    if entry.only and told.kind not in (None, entry.only):
        return NotRead("OTHER_SHOT")
    if entry.needs_sound and ball.found.contact_by != "sound":
        return NotRead("NEEDS_SOUND")
    answer = FUNCTIONS[entry.code](ball)
    low, high = entry.plausible
    return NotRead("OUT_OF_RANGE") if isinstance(answer, Reading) and not low <= answer.value <= high else answer


def _told(ball: Ball, mode: AnalysisMode, recording: Recording) -> Told:
    if mode is AnalysisMode.BATTING:
        return kinds.shot_of(ball)
    return kinds.pace_of(ball) if mode is AnalysisMode.BOWLING and recording.timed else kinds.NOT_TOLD


def _metric(slot: Slot, clip: Clip, context: Context, recording: Recording, answers: dict[str, Answers]) -> Metric:
    entry = slot.entry
    if entry is None:
        return refusals.null(slot, clip, ("NOT_OFFERED", slot.not_offered or ""))
    refusal = refusals.of_the_clip(clip) or refusals.of_the_metric(entry, clip, recording)
    if refusal:
        return refusals.null(slot, clip, refusal)
    source = bowling.REPEATABILITY.get(entry.code, entry.code)
    read = _read(catalogue().entries[source], answers[source])
    if not read:
        return refusals.null(slot, clip, refusals.of_the_balls([answer for _, answer in answers[source] if isinstance(answer, NotRead)]))
    if source == entry.code:
        metric = summarise(entry, read, context)
        return refusals.null(slot, clip, refusals.unsure(entry, read)) if says_nothing(metric.ci95, entry) else metric
    if len(read) < LEAST_FOR_SPREAD:
        return refusals.null(slot, clip, refusals.too_few(len(read)))
    return repeatability(entry, read, context)


def _read(entry: Entry, answers: Answers) -> list[ReadBall]:
    return [read_ball(entry, ball, answer) for ball, answer in answers if isinstance(answer, Reading)]


def _with_detectable_faults(metrics: dict[str, Metric]) -> dict[str, Metric]:
    """Each judged metric with the size of the fault that would be found: it depends on how many are judged together (`family`)."""
    judged = {key for key, metric in metrics.items() if metric.judged and metric.score is not None}
    return {
        key: metric.model_copy(update={"detectable_fault": rounded(detectable_distance(metric.sigma or 0.0, len(judged)))})
        if key in judged
        else metric
        for key, metric in metrics.items()
    }


# -------------------------------------------------------------------------------------------------------------- the rest of the block


def _unread(chosen: list[Slot], answers: dict[str, Answers], metrics: dict[str, Metric]) -> dict[str, dict[str, int]]:
    """key -> reason code -> balls that gave no value, for metrics that other balls gave."""
    found: dict[str, dict[str, int]] = {}
    for slot in chosen:
        if slot.entry and metrics[slot.key].value is not None:
            codes = [answer.code for _, answer in answers.get(slot.entry.code, []) if isinstance(answer, NotRead)]
            if codes:
                found[slot.key] = {code: codes.count(code) for code in sorted(set(codes))}
    return found


def _delivery(ball: Ball, told: Told, recording: Recording) -> Delivery:
    found, factor = ball.found, recording.life_factor
    start_s, end_s = ball.stretch_s
    events = [
        Event(
            name=name,
            t_s=round(max(e.t_s * factor, 0.0), 4),
            sigma_s=round(e.sigma_s * factor, 4),
            frame=e.frame,
            evidence=e.evidence or None,
        )
        for name, e in found.events.items()
    ]
    return Delivery(
        delivery=ball.number,
        start_s=round(max(start_s * factor, 0.0), 4),
        end_s=round(min(end_s * factor, recording.duration_s), 4),
        events=events,
        contact_by=found.contact_by,
        sound_unused=found.sound or None,
        kind=told.kind,
        kind_probability=None if told.probability is None else rounded(told.probability),
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
    return None if metric.band is None else rounded(probability_in_band(value.value, max(value.sigma, 1e-9), metric.band))
