"""Two sessions of one player compared: what really changed, what did not, and what cannot be compared.

Belongs here: the minimum detectable change of cricket-metrics 3.2, generalised to two sessions of unlike length, and the refusals. Does
not belong here: reading rows (`reading.api.comparing`), printing.

"No real change" is an answer: most differences between two sessions are no larger than what the same session filmed twice would show.
The model's own error is the same in both where view, networks and definition are, so it is not in the detectable change; where one of
these differs the comparison is refused, not widened.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, Literal

from pydantic import Field

from cricksy_pipeline.analysis.confirming import variance_of_change
from cricksy_pipeline.analysis.documents import AnalysisMode, AnalysisResults, Document, Metric
from cricksy_pipeline.analysis.metrics.uncertainty import Z95, distance_outside
from cricksy_pipeline.analysis.wording import coaching

Outcome = Literal["better", "worse", "changed", "no real change"]


class ComparedMetric(Document):
    """One metric in two sessions."""

    metric: str
    label: str
    unit: str
    earlier: float
    later: float
    earlier_n: int = Field(ge=1)
    later_n: int = Field(ge=1)
    change: float = Field(description="Later minus earlier, in `unit`.")
    ci95: tuple[float, float] = Field(description="95 % interval of the change.")
    detectable_change: float = Field(ge=0, description="MDC95 of these two sessions: a smaller change is level.")
    verdict: Outcome = Field(description="better, worse: nearer to or further out of its band; changed: without a band, or within it.")
    cue: str | None = Field(description="What to say where it became worse, or changed in a way that coaches work on.")


class RefusedMetric(Document):
    """One metric that cannot be compared, and why."""

    metric: str
    label: str
    reason: str
    reason_code: str


class Comparison(Document):
    """Two sessions compared. `refused` is set where nothing can be; then both lists are empty."""

    analysis_mode: AnalysisMode
    summary: str
    refused: str | None = Field(description="Why the sessions cannot be compared at all; null when they can.")
    refused_code: str | None
    compared: list[ComparedMetric] = Field(description="Those that changed first.")
    not_compared: list[RefusedMetric]
    notes: list[str]


def compare(earlier: AnalysisResults, later: AnalysisResults) -> Comparison:
    """What changed from one session to a later one. Times and values are those of the documents; nothing is measured anew."""
    mode = later.meta.analysis_mode
    words = coaching()["comparison"]["verdicts"]
    refusal = _refusal(earlier, later)
    if refusal is not None:
        code, why = refusal
        text = words["summary_refused"].format(why=why)
        return Comparison(analysis_mode=mode, summary=text, refused=why, refused_code=code, compared=[], not_compared=[], notes=[])
    compared: list[ComparedMetric] = []
    not_compared: list[RefusedMetric] = []
    for key in dict.fromkeys([*later.metrics.metrics, *earlier.metrics.metrics]):
        pair = earlier.metrics.metrics.get(key), later.metrics.metrics.get(key)
        if all(metric is None or metric.reason_code == "NOT_OFFERED" for metric in pair):
            continue
        answer = _compared(key, *pair)
        compared.append(answer) if isinstance(answer, ComparedMetric) else not_compared.append(answer)
    compared.sort(key=lambda item: (item.verdict == "no real change", -abs(item.change) / max(item.detectable_change, 1e-12)))
    return Comparison(
        analysis_mode=mode,
        summary=_summary(compared),
        refused=None,
        refused_code=None,
        compared=compared,
        not_compared=not_compared,
        notes=_notes(compared),
    )


# --------------------------------------------------------------------------------------------------------------- the sessions


def _refusal(earlier: AnalysisResults, later: AnalysisResults) -> tuple[str, str] | None:
    """(code, sentence) of why nothing can be compared; None when it can."""
    before, after = earlier.metrics.summary, later.metrics.summary
    limits = coaching()["comparison"]
    if earlier.meta.analysis_mode != later.meta.analysis_mode:
        return _because("MODE", "mode", earlier.meta.analysis_mode.value, later.meta.analysis_mode.value)
    if not earlier.metrics.deliveries or not later.metrics.deliveries:
        return _because("NO_RESULTS", "no_results")
    if earlier.pose_summary.model_sha256 != later.pose_summary.model_sha256:
        return _because("NETWORKS", "networks")
    for name in ("front_side", "arm"):
        if before.get(name) and after.get(name) and before[name] != after[name]:
            return _because("SIDE", "side", before[name], after[name])
    facing = [summary.get("facing") for summary in (before, after)]
    if all(way in (1, -1) for way in facing) and facing[0] != facing[1]:
        return _because("CAMERA_SIDE", "camera_side")
    tall = [summary.get("player_height_px") for summary in (before, after)]
    if all(_positive(height) for height in tall) and max(tall) > limits["height_ratio"] * min(tall):
        return _because("HEIGHT", "height", f"{tall[0]:.0f}", f"{tall[1]:.0f}")
    yaws = [summary.get("view_off_side_deg") for summary in (before, after)]
    if all(isinstance(yaw, (int, float)) for yaw in yaws) and abs(yaws[0] - yaws[1]) > limits["yaw_apart_deg"]:
        return _because("VIEW", "yaw", f"{yaws[0]:.0f}", f"{yaws[1]:.0f}")
    return None


def _because(code: str, sentence: str, earlier: Any = "", later: Any = "") -> tuple[str, str]:
    return code, coaching()["comparison"]["refused"][sentence].format(earlier=earlier, later=later)


def _positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and value > 0


# ----------------------------------------------------------------------------------------------------------------- one metric


def _compared(key: str, earlier: Metric | None, later: Metric | None) -> ComparedMetric | RefusedMetric:
    label = (later or earlier).label  # type: ignore[union-attr]
    words = coaching()["comparison"]["refused"]

    def refused(code: str, sentence: str, **values: Any) -> RefusedMetric:
        return RefusedMetric(metric=key, label=label, reason=words[sentence].format(**values), reason_code=code)

    for metric, when in ((earlier, "unmeasured_earlier"), (later, "unmeasured_later")):
        if metric is None or metric.value is None or metric.n < 1:
            return refused("NOT_MEASURED", when, reason=(metric.reason if metric else None) or "it was not looked for.")
    assert earlier is not None and later is not None and earlier.value is not None and later.value is not None
    if (earlier.definition, earlier.definition_version) != (later.definition, later.definition_version):
        return refused("DEFINITION", "definition", earlier=earlier.definition_version, later=later.definition_version)
    if earlier.view != later.view:
        return refused("VIEW", "view", earlier=earlier.view or "an unknown place", later=later.view or "an unknown place")
    if earlier.detectable_change is None or later.detectable_change is None:
        return refused("NO_DETECTABLE_CHANGE", "no_change_known")
    change, smallest = later.value - earlier.value, detectable_change(earlier.detectable_change, later.detectable_change)
    verdict = _verdict(earlier, later, change, smallest)
    return ComparedMetric(
        metric=key,
        label=label,
        unit=later.unit,
        earlier=earlier.value,
        later=later.value,
        earlier_n=earlier.n,
        later_n=later.n,
        change=round(change, 4),
        ci95=(round(change - smallest, 4), round(change + smallest, 4)),
        detectable_change=round(smallest, 4),
        verdict=verdict,
        cue=_cue(later, change, verdict),
    )


def detectable_change(earlier: float, later: float) -> float:
    """MDC95 of two sessions, each given by the change that would be detectable between two sessions like itself.

    1.96 sqrt(v1 + v2), where each session's v = random^2 / n + set-up^2; for like sessions this is 1.96 sqrt(2) sqrt(v).
    """
    return Z95 * sqrt(variance_of_change(earlier) + variance_of_change(later))


def _verdict(earlier: Metric, later: Metric, change: float, smallest: float) -> Outcome:
    if abs(change) < smallest:
        return "no real change"
    if later.band is None or earlier.value is None or later.value is None or not later.judged:
        return "changed"
    before, after = distance_outside(earlier.value, later.band), distance_outside(later.value, later.band)
    return "changed" if before == after else "better" if after < before else "worse"


def _cue(later: Metric, change: float, verdict: Outcome) -> str | None:
    """The cue of the side to which it went; none where it became better, is level, or stays inside its band."""
    if verdict in ("better", "no real change") or (verdict == "changed" and later.judged):
        return None
    words = coaching().get(later.code or "", {}).get("above" if change > 0 else "below")
    return words["cues"][0] if words else None


# ------------------------------------------------------------------------------------------------------------------- in words


def _summary(compared: list[ComparedMetric]) -> str:
    words = coaching()["comparison"]["verdicts"]
    if not compared:
        return words["summary_none"]
    changed = [item for item in compared if item.verdict != "no real change"]
    if not changed:
        return words["summary_level"]
    labels = ", ".join(f"{item.label} ({words[item.verdict].lower()})" for item in changed)
    return words["summary_changed"].format(changed=len(changed), of=len(compared), labels=labels)


def _notes(compared: list[ComparedMetric]) -> list[str]:
    settings = coaching()["comparison"]
    notes = [settings["verdicts"]["same_player"]]
    expected = settings["chance_per_metric"] * len(compared)
    if expected >= 0.5:
        notes.insert(0, settings["verdicts"]["by_chance"].format(of=len(compared), expected=f"{expected:.1g}"))
    return notes
