"""What must hold of one document: predicates over plain JSON, as read back from the row and the object store.

Belongs here: functions from JSON values to an `Outcome`. They trust nothing: a value of the wrong shape is a failed outcome with a
sentence, and what they did not foresee is caught by `guardrails`. Does not belong here: which asset has which guardrail.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cricksy_pipeline.analysis.documents import AnalysisResults, Document, Findings, Report
from cricksy_pipeline.analysis.json_tree import at, fingerprint, is_number, items, leaves, small
from cricksy_pipeline.analysis.judging import MOST_FINDINGS
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.wording import coaching, numbers_in, unsupported_numbers

NEAREST_FRAME_S = 0.06
"""Evidence lies this near to the frame it names: half a frame at 10 frames a second, and rounding."""


@dataclass(frozen=True)
class Outcome:
    """What a predicate says: whether it holds, what was there, what should have been, and a sentence."""

    passed: bool
    actual: Any
    expected: Any
    message: str


def holds(passed: bool, actual: Any, expected: Any, good: str, bad: str) -> Outcome:
    """An outcome whose message depends on `passed`."""
    return Outcome(bool(passed), actual, expected, good if passed else bad)


# ---------------------------------------------------------------------------------------------------------------- any document


def schema_valid(document: Any, model: type[Document]) -> Outcome:
    """The document is an object of the documented shape."""
    from pydantic import ValidationError

    if not isinstance(document, dict):
        return Outcome(False, type(document).__name__, model.__name__, f"there is no {model.__name__} document")
    try:
        model.model_validate(document)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"[:200] for fault in error.errors()[:3]]
        return Outcome(False, faults, model.__name__, f"{error.error_count()} fault(s), first: {faults[0]}")
    return Outcome(True, model.__name__, model.__name__, "has the documented shape")


def numbers_finite(document: Any) -> Outcome:
    """No NaN and no infinity anywhere in the document."""
    if document is None:
        return Outcome(False, None, "a document", "there is no document")
    bad = [path for path, value in leaves(document) if isinstance(value, float) and not math.isfinite(value)]
    return holds(not bad, bad[:5], [], "every number is finite", f"{len(bad)} number(s) not finite, first at {bad[0] if bad else ''}")


def mode_echoed(document: Any, mode: str, *paths: tuple[str, ...]) -> Outcome:
    """Every place that names the mode names the one that was asked for."""
    there = {".".join(path): at(document, *path) for path in paths}
    wrong = {path: value for path, value in there.items() if value != str(mode)}
    return holds(not wrong, small(there), str(mode), "the mode asked for is the mode analysed", f"another mode at {', '.join(wrong)}")


def stored_copy_equals_row(row: Any, stored: Any, error: str | None) -> Outcome:
    """What the object store gives back is what the row holds."""
    if error is not None or stored is None:
        return Outcome(False, error or "nothing", "the stored copy", f"the stored copy could not be read: {error or 'there is none'}")
    if row is None:
        return Outcome(False, None, fingerprint(stored), "the row holds no such document")
    mine, theirs = fingerprint(row), fingerprint(stored)
    return holds(mine == theirs or row == stored, theirs, mine, "stored copy and row are the same", "stored copy and row differ")


# --------------------------------------------------------------------------------------------------------------------- results


def frame_count_equals_plan(results: Any, planned: int) -> Outcome:
    """As many frames were looked at as were planned."""
    sampled = at(results, "pose_summary", "sampled_frames")
    equal = is_number(sampled) and sampled == planned
    return holds(equal, small(sampled), planned, "every planned frame was looked at", "the number of frames is not the planned one")


def subject_found(results: Any) -> Outcome:
    """The player was found in most of the sampled frames."""
    rate, wanted = at(results, "pose_summary", "detection_rate_percent"), catalogue().gates["coverage_good_percent"]
    good, bad = "the player was found in most frames", "the player was found in too few frames for full trust"
    return holds(is_number(rate) and rate >= wanted, small(rate), f">= {wanted:g}", good, bad)


def findings_and_report_in_row(results: Any, findings: Any, report: Any) -> Outcome:
    """The fields that readers read hold findings and report, the same as in the results."""
    missing = [name for name, value in (("findings", findings), ("report", report)) if not isinstance(value, dict) or not value]
    if missing:
        return Outcome(False, missing, [], f"the row has no {' and no '.join(missing)}")
    for name, value, model in (("findings", findings, Findings), ("report", report, Report)):
        shape = schema_valid(value, model)
        if not shape.passed:
            return Outcome(False, shape.actual, shape.expected, f"{name}: {shape.message}")
        if fingerprint(at(results, name)) != fingerprint(value):
            return Outcome(False, name, "equal", f"the {name} in the row are not those in its results")
    return Outcome(True, ["findings", "report"], ["findings", "report"], "findings and report are where readers look")


# -------------------------------------------------------------------------------------------------------------------- findings


def findings_present(findings: Any) -> Outcome:
    """There is a findings document of the documented shape."""
    return schema_valid(findings, Findings) if findings else Outcome(False, small(findings), "Findings", "the row has no findings")


def every_finding_complete(findings: Any) -> Outcome:
    """Each finding has code, message and evidence; technique findings also metric and level."""
    if not isinstance(at(findings, "findings"), list):
        return Outcome(False, None, "a list", "there is no list of findings")
    faults = []
    for i, finding in enumerate(items(findings, "findings")):
        needed = ["code", "title", "message", "severity", "evidence"]
        if at(finding, "kind") != "quality":
            needed += ["metric", "level"]
        faults += [f"findings[{i}].{name}" for name in needed if not at(finding, name)]
    return holds(not faults, faults[:5], [], "every finding says what, where and how sure", f"missing: {', '.join(faults[:3])}")


def evidence_within_video(findings: Any, duration_s: float) -> Outcome:
    """Every time of every finding lies inside the video."""
    if not isinstance(findings, dict):
        return Outcome(False, None, "findings", "there are no findings")
    bad = []
    for i, finding in enumerate([*items(findings, "findings"), *items(findings, "watch")]):
        times = list(items(finding, "evidence", "t_s"))
        times += [at(still, "t_s") for still in items(finding, "evidence", "stills")]
        times += [at(moment, "t_s") for moment in items(finding, "video_evidence", "worst_frames")]
        times += [at(segment, end) for segment in items(finding, "video_evidence", "bad_segments") for end in ("start_s", "end_s")]
        bad += [{"finding": i, "t_s": small(t)} for t in times if not is_number(t) or not 0 <= t <= duration_s + 1e-6]
    return holds(not bad, bad[:5], f"0 to {duration_s:g} s", "all evidence lies inside the video", f"{len(bad)} time(s) outside the video")


def evidence_from_triggering_series(findings: Any, results: Any) -> Outcome:
    """The evidence is the metric's own: same value and interval, from a series that exists, at frames of that series."""
    if not isinstance(findings, dict):
        return Outcome(False, None, "findings", "there are no findings")
    faults = []
    for finding in _claims(findings):
        fault = _evidence_fault(finding, results)
        if fault:
            faults.append(f"{small(at(finding, 'code'))}: {fault}")
    return holds(not faults, faults[:3], [], "evidence comes from what triggered it", faults[0] if faults else "")


def _evidence_fault(finding: Any, results: Any) -> str | None:
    metric, evidence = at(results, "metrics", "metrics", str(at(finding, "metric"))), at(finding, "evidence")
    if not isinstance(metric, dict) or not isinstance(evidence, dict):
        return "its metric is not in the results"
    for name in ("value", "ci95", "n", "series"):
        if evidence.get(name) != metric.get(name):
            return f"{name} is not the metric's"
    series = at(results, "metrics", "series", str(evidence.get("series")))
    frames, times = items(series, "frame"), items(series, "t_s")
    if (
        not frames
        or len(frames) != len(times)
        or not items(evidence, "frames")
        or len(items(evidence, "frames")) != len(items(evidence, "t_s"))
    ):
        return "it names no frames of a series in the results"
    when = {frame: t for frame, t in zip(frames, times, strict=True) if is_number(frame) and is_number(t)}
    for frame, t in zip(items(evidence, "frames"), items(evidence, "t_s"), strict=True):
        if not is_number(frame) or not is_number(t) or frame not in when or abs(when[frame] - t) > NEAREST_FRAME_S:
            return f"frame {small(frame)} at {small(t)} s is not in its series"
    events = {
        (at(ball, "delivery"), at(event, "name"), at(event, "frame"))
        for ball in items(results, "metrics", "deliveries")
        for event in items(ball, "events")
    }
    for still in items(evidence, "stills"):
        if (at(still, "delivery"), at(still, "event"), at(still, "frame")) not in events:
            return f"a still shows {small(at(still, 'event'))}, which is no event of the results"
    return None


def no_finding_from_missing_data(findings: Any, results: Any) -> Outcome:
    """No technique finding rests on a metric that was not measured, or on a player hardly seen."""
    if not isinstance(findings, dict):
        return Outcome(False, None, "findings", "there are no findings")
    technique = _technique(findings)
    rate, floor = at(results, "pose_summary", "detection_rate_percent"), catalogue().gates["coverage_floor_percent"]
    if technique and (not is_number(rate) or rate < floor):
        return Outcome(False, small(rate), f">= {floor:g}", "technique is judged although the player was hardly seen")
    bad = []
    for finding in _claims(findings):
        metric = at(results, "metrics", "metrics", str(at(finding, "metric")))
        measured = is_number(at(metric, "value")) and is_number(at(metric, "score")) and is_number(at(metric, "n")) and at(metric, "n") >= 1
        bad += [] if measured else [small(at(finding, "metric"))]
    return holds(not bad, bad[:5], [], "nothing was found from missing data", f"found without a measurement: {bad[0] if bad else ''}")


def one_priority(findings: Any) -> Outcome:
    """At most three technique findings, and the priority is the first of them; without any, no technique is one."""
    if not isinstance(findings, dict):
        return Outcome(False, None, "findings", "there are no findings")
    technique, priority = _technique(findings), at(findings, "priority")
    if len(technique) > MOST_FINDINGS:
        return Outcome(False, len(technique), f"<= {MOST_FINDINGS}", "there are more things to work on than anyone can")
    named, first = at(priority, "metric"), at(technique[0], "metric") if technique else None
    return holds(named == first, small(named), small(first), "the priority is the first finding", "the priority is not the first finding")


def _technique(findings: Any) -> list[Any]:
    return [finding for finding in items(findings, "findings") if at(finding, "kind") != "quality"]


def _claims(findings: Any) -> list[Any]:
    """Everything that is said of technique: what was found, and what is watched."""
    return [*_technique(findings), *items(findings, "watch")]


# ---------------------------------------------------------------------------------------------------------------------- report


def text_present(report: Any) -> Outcome:
    """The report says something."""
    text = at(report, "text")
    good = isinstance(text, str) and bool(text.strip())
    return holds(good, len(text) if isinstance(text, str) else None, ">= 1 character", "the report has text", "the report has no text")


def sections_present(report: Any) -> Outcome:
    """The report has sections with title and body, seven lines of plan, and the documented shape."""
    empty = [i for i, section in enumerate(items(report, "sections")) if not at(section, "title") or not at(section, "body")]
    if not items(report, "sections") or empty:
        return Outcome(False, empty, [], "there are no sections" if not empty else f"section {empty[0] + 1} is empty")
    return schema_valid(report, Report)


def overall_level_matches_findings(report: Any, findings: Any) -> Outcome:
    """Report and findings give the same overall level."""
    if not isinstance(report, dict) or not isinstance(findings, dict):
        return Outcome(False, None, "report and findings", "report or findings are missing")
    mine, theirs = at(report, "overall_level"), at(findings, "overall_level")
    return holds(mine == theirs, small(mine), small(theirs), "report and findings agree", "the report's level is not the findings'")


def every_number_in_data(report: Any, findings: Any, results: Any) -> Outcome:
    """Every number that the report's text states is a datum of findings or results, rounded; or stands in fixed wording.

    Fixed wording (definitions, drills, how to film) carries numbers of its own; the sentences that the analysis makes (messages,
    titles) are no source, so a number cannot vouch for itself. The time series are no source either: they hold nearly every number.
    """
    text = at(report, "text")
    if not isinstance(text, str):
        return Outcome(False, None, "text", "the report has no text")
    sources = [at(findings, part) for part in ("findings", "watch", "style_notes", "detection_rate", "confidence_score")]
    sources += [at(results, "metrics", part) for part in ("metrics", "summary", "deliveries", "evidence")] + [at(results, "pose_summary")]
    known = [float(value) for source in sources for _, value in leaves(source) if is_number(value) and abs(value) < 1e15]
    # What the pictures lacked is kept as a share and written as a percentage.
    known += [100 * at(fault, "value") for fault in items(results, "metrics", "summary", "quality") if is_number(at(fault, "value"))]
    lengths = [len(items(results, "metrics", "deliveries")), *range(len(items(findings, "findings")) + 1)]
    missing = unsupported_numbers(text, [*known, *lengths, *_numbers_of_wording()])
    return holds(not missing, missing[:5], [], "every number in the text is in the data", f"not in the data: {', '.join(missing[:5])}")


def files_whole(files: Mapping[str, str | None]) -> Outcome:
    """Every file of the report can be what it is called."""
    wrong = [f"{name}: {problem}" for name, problem in files.items() if problem]
    return holds(bool(files) and not wrong, wrong, [], "every file of the report is whole", "; ".join(wrong) or "the report has no files")


def _numbers_of_wording() -> list[float]:
    words = [value for table in (coaching(), catalogue().words) for _, value in leaves(table) if isinstance(value, str)]
    words += [text for items in catalogue().not_offered.values() for item in items for text in (item.name, item.reason)]
    return [value for text in words for _, value, _ in numbers_in(text)]


RESULTS_MODE_PATHS = (("meta", "analysis_mode"), ("meta", "analysis_mode_used"))
RESULTS_MODEL = AnalysisResults
