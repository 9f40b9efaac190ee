"""The named guardrails: what must hold of each asset before a reader sees it.

Belongs here: the one list from which the asset checks, the table in the docs and the completion step are made, and one function per
asset that evaluates all of its guardrails. Does not belong here: how a single one is decided (`guardrail_predicates`), when they run
(orchestration), where results are kept (store).

The functions take plain values as read back from the row and the object store. They never raise: a guardrail that cannot be
decided has failed, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Literal

from cricksy_pipeline.analysis import guardrail_predicates as says
from cricksy_pipeline.analysis.guardrail_predicates import Outcome
from cricksy_pipeline.analysis.json_tree import small

Severity = Literal["ERROR", "WARN"]


@dataclass(frozen=True)
class GuardrailResult:
    """The answer of one guardrail. `actual` and `expected` are small JSON values."""

    name: str
    passed: bool
    severity: Severity
    actual: Any
    expected: Any
    message: str


@dataclass(frozen=True)
class GuardrailSpec:
    """A guardrail by name, what it holds in one sentence, and whether its failure blocks (ERROR) or warns (WARN)."""

    name: str
    description: str
    severity: Severity = "ERROR"


_RESULTS = (
    GuardrailSpec("schema_valid", "The results have the documented shape."),
    GuardrailSpec("numbers_finite", "No number anywhere in the results is NaN or infinite."),
    GuardrailSpec("mode_echoed", "The mode asked for is the mode analysed, wherever it is named."),
    GuardrailSpec("frame_count_equals_plan", "As many frames were looked at as the sampling plan says."),
    GuardrailSpec("stored_copy_equals_row", "What the object store gives back has the hash of what the row holds."),
)

GUARDRAILS: dict[str, tuple[GuardrailSpec, ...]] = {
    "frames": (
        GuardrailSpec("source_is_readable_video", "The source is a video with at least one frame that decodes."),
        GuardrailSpec("source_hash_matches_row", "The bytes analysed are the bytes that the job was made for."),
        GuardrailSpec("timestamps_strictly_increase", "Every frame is shown later than the one before it."),
        GuardrailSpec("duration_and_size_within_limits", "The video is neither longer nor larger than allowed."),
    ),
    "quick_results": (
        *_RESULTS,
        GuardrailSpec("findings_and_report_in_row", "The quick findings and report are in the fields that readers read."),
    ),
    "deep_results": (*_RESULTS, GuardrailSpec("subject_found", "The player was found in at least 60 % of the sampled frames.", "WARN")),
    "findings": (
        GuardrailSpec("findings_present", "The row holds findings of the documented shape."),
        GuardrailSpec("every_finding_complete", "Every finding has code, metric, level, message and evidence."),
        GuardrailSpec("one_priority", "At most three technique findings, and the priority is the first of them."),
        GuardrailSpec("evidence_within_video", "All evidence lies between 0 and the end of the video."),
        GuardrailSpec(
            "evidence_from_triggering_series",
            "Evidence has the value, frames, series and stills of the metric that triggered it, what is only watched included.",
        ),
        GuardrailSpec("no_finding_from_missing_data", "No technique finding rests on what was not measured."),
        GuardrailSpec("mode_echoed", "The findings name the mode that was asked for."),
        GuardrailSpec("stored_copy_equals_row", "What the object store gives back has the hash of what the row holds."),
    ),
    "report": (
        GuardrailSpec("text_present", "The report has text."),
        GuardrailSpec("sections_present", "The report has sections with title and body, and the documented shape."),
        GuardrailSpec("overall_level_matches_findings", "The report's overall level is the findings'."),
        GuardrailSpec("every_number_in_data", "Every number in the text is in the data, by the stated rounding."),
        GuardrailSpec("mode_echoed", "The report names the mode that was asked for."),
        GuardrailSpec("files_whole", "The page, the PDF and both tables read back as what they are, whole, and of this very job."),
        GuardrailSpec("stored_copy_equals_row", "What the object store gives back has the hash of what the row holds."),
    ),
}
"""Asset name -> its guardrails, in the order in which they are evaluated and shown."""


def evaluate_frames(
    *,
    decodable: bool,
    decode_error: str | None,
    source_sha256: str | None,
    row_sha256: str | None,
    t_s: Sequence[float] | Any,
    duration_s: float,
    max_seconds: float,
    size_bytes: int,
    max_bytes: int,
    frame_count: int,
) -> list[GuardrailResult]:
    """All guardrails of `frames`. `t_s`: presentation times of every frame (list or array), empty when the file could not be read."""
    length, most = {"duration_s": duration_s, "size_bytes": size_bytes}, {"max_seconds": max_seconds, "max_bytes": max_bytes}
    unread = f"the video cannot be read: {decode_error or 'it has no frames'}"
    other = "the file is not the one the job was made for"
    return _evaluate(
        "frames",
        source_is_readable_video=lambda: says.holds(
            decodable is True and frame_count >= 1, decode_error or frame_count, ">= 1 decodable frame", "the video can be read", unread
        ),
        source_hash_matches_row=lambda: says.holds(
            bool(source_sha256) and source_sha256 == row_sha256, source_sha256, row_sha256, "the bytes are the job's", other
        ),
        timestamps_strictly_increase=partial(_increase, t_s),
        duration_and_size_within_limits=lambda: says.holds(
            0 <= duration_s <= max_seconds and 0 < size_bytes <= max_bytes, length, most, "within the limits", "over the limits, or empty"
        ),
    )


def _increase(t_s: Sequence[float]) -> Outcome:
    times = [float(t) for t in t_s]
    late = next((i + 1 for i, (a, b) in enumerate(pairwise(times)) if not b > a), None)
    lone = len(times) == 1 and not says.is_number(times[0])
    if not times or lone:
        return Outcome(False, len(times), ">= 1 timestamp", "there are no timestamps")
    return says.holds(
        late is None, late, None, "every frame is later than the one before", f"frame {late} is not later than the frame before it"
    )


def evaluate_quick_results(
    *,
    row_results: Any,
    row_findings: Any,
    row_report: Any,
    stored_results: Any,
    stored_error: str | None,
    mode: str,
    planned_frames: int,
) -> list[GuardrailResult]:
    """All guardrails of `quick_results`, from the row and the copy read back from the object store."""
    return _evaluate(
        "quick_results",
        **_results(row_results, stored_results, stored_error, mode, planned_frames),
        findings_and_report_in_row=partial(says.findings_and_report_in_row, row_results, row_findings, row_report),
    )


def evaluate_deep_results(
    *, row_results: Any, stored_results: Any, stored_error: str | None, mode: str, planned_frames: int
) -> list[GuardrailResult]:
    """All guardrails of `deep_results`, from the row and the copy read back from the object store."""
    return _evaluate(
        "deep_results",
        **_results(row_results, stored_results, stored_error, mode, planned_frames),
        subject_found=partial(says.subject_found, row_results),
    )


def _results(row: Any, stored: Any, error: str | None, mode: str, planned: int) -> dict[str, Callable[[], Outcome]]:
    return {
        "schema_valid": partial(says.schema_valid, row, says.RESULTS_MODEL),
        "numbers_finite": partial(says.numbers_finite, row),
        "mode_echoed": partial(says.mode_echoed, row, mode, *says.RESULTS_MODE_PATHS),
        "frame_count_equals_plan": partial(says.frame_count_equals_plan, row, planned),
        "stored_copy_equals_row": partial(says.stored_copy_equals_row, row, stored, error),
    }


def evaluate_findings(
    *, row_findings: Any, row_results: Any, stored_findings: Any, stored_error: str | None, mode: str, duration_s: float
) -> list[GuardrailResult]:
    """All guardrails of `findings`. `row_results`: the deep results that the findings were made from."""
    return _evaluate(
        "findings",
        findings_present=partial(says.findings_present, row_findings),
        every_finding_complete=partial(says.every_finding_complete, row_findings),
        one_priority=partial(says.one_priority, row_findings),
        evidence_within_video=partial(says.evidence_within_video, row_findings, duration_s),
        evidence_from_triggering_series=partial(says.evidence_from_triggering_series, row_findings, row_results),
        no_finding_from_missing_data=partial(says.no_finding_from_missing_data, row_findings, row_results),
        mode_echoed=partial(says.mode_echoed, row_findings, mode, ("analysis_mode",)),
        stored_copy_equals_row=partial(says.stored_copy_equals_row, row_findings, stored_findings, stored_error),
    )


def evaluate_report(
    *,
    row_report: Any,
    row_findings: Any,
    row_results: Any,
    stored_report: Any,
    stored_error: str | None,
    mode: str,
    files: Mapping[str, str | None],
) -> list[GuardrailResult]:
    """All guardrails of `report`. `files`: by name, why what is stored of it cannot be it, None where it can."""
    return _evaluate(
        "report",
        text_present=partial(says.text_present, row_report),
        sections_present=partial(says.sections_present, row_report),
        overall_level_matches_findings=partial(says.overall_level_matches_findings, row_report, row_findings),
        every_number_in_data=partial(says.every_number_in_data, row_report, row_findings, row_results),
        mode_echoed=partial(says.mode_echoed, row_report, mode, ("analysis_mode",)),
        files_whole=partial(says.files_whole, files),
        stored_copy_equals_row=partial(says.stored_copy_equals_row, row_report, stored_report, stored_error),
    )


def _evaluate(asset: str, **predicates: Callable[[], Outcome]) -> list[GuardrailResult]:
    return [_one(spec, predicates[spec.name]) for spec in GUARDRAILS[asset]]


def _one(spec: GuardrailSpec, predicate: Callable[[], Outcome]) -> GuardrailResult:
    try:
        outcome = predicate()
    except Exception as error:  # a document no predicate foresaw: not passed, and the run goes on to say so
        outcome = Outcome(False, f"{type(error).__name__}: {error}"[:200], None, f"could not be decided: {type(error).__name__}")
    return GuardrailResult(spec.name, outcome.passed, spec.severity, small(outcome.actual), small(outcome.expected), outcome.message)
