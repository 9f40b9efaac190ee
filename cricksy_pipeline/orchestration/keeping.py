"""What of an earlier attempt still holds, so that it need not be made again.

Belongs here: the question, per stage, whether what is stored is what this run would make: same inputs (source, mode, model, rules), the
very objects that were written, and guardrails that passed. A retry after a failure in `report` thus redoes `report` alone, a backfill
after new rules decodes nothing. Does not belong here: what the inputs of a stage are (`analysis.versions`).
"""

from __future__ import annotations

from cricksy_pipeline.analysis.guardrails import GUARDRAILS
from cricksy_pipeline.orchestration.report_files import REPORT_FILES, heading_of
from cricksy_pipeline.orchestration.stage import Stage
from cricksy_pipeline.reading.report.report_view import shows_no_faces
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.models import QUICK_ARTIFACTS, VideoAnalysisJob
from cricksy_pipeline.store.objects import ObjectStore

OUTPUTS: dict[str, tuple[Output, ...]] = {
    "frames": (Output.FRAMES,),
    "quick_landmarks": (Output.QUICK_FRAMES, Output.QUICK_PLAYER_IMAGE),
    "quick_results": (
        Output.QUICK_RESULTS,
        Output.QUICK_FRAMES,
        Output.QUICK_REPORT_HTML,
        Output.QUICK_PLAYER_IMAGE,
        Output.QUICK_METRICS_IMAGE,
    ),
    "deep_landmarks": (Output.DEEP_FRAMES, Output.PLAYER_IMAGE),
    "deep_results": (
        Output.DEEP_RESULTS,
        Output.DEEP_FRAMES,
        Output.PLAYER_IMAGE,
        Output.METRICS_IMAGE,
        Output.DEEP_MOMENTS_IMAGE,
    ),
    "findings": (Output.FINDINGS,),
    "report": (Output.REPORT, *REPORT_FILES),
}
"""The objects that each step of the work leaves or names. Landmarks are steps of their own: they are what costs, and outlive the rules."""

_PAGES = {"quick_results": Output.QUICK_REPORT_HTML, "report": Output.REPORT_HTML}

COLUMNS: dict[str, tuple[str, ...]] = {
    "quick_landmarks": ("quick_results",),  # whose pose_summary says whom the landmarks follow
    "quick_results": QUICK_ARTIFACTS,
    "deep_landmarks": ("quick_results",),
    "deep_results": ("deep_results", "deep_results_s3_key"),
    "findings": ("deep_findings",),
    "report": ("deep_report", "pdf_s3_key"),
}


def expected_outputs(row: VideoAnalysisJob, step: str) -> tuple[Output, ...]:
    """The objects that this job's step leaves."""
    return (*OUTPUTS[step], *([Output.DEEP_FRAMES_JSON] if step == "deep_results" and row.include_frames else []))


def still_holds(now: Stage, objects: ObjectStore) -> bool:
    """Whether this stage's output is in the row and in the store as this run would make it. If so, it now counts as this attempt's."""
    record = _unchanged(now, objects, now.name)
    if record is None or not _guardrails_passed(now, record["made_in"]) or not _faces_as_asked(now, objects):
        return False
    now.jobs.keep_stage(now.job_id, now.run_id, now.name)
    now.log.info("%s: job_id=%s kept from run %s, nothing that it follows from has changed", now.name, now.job_id, record["run_id"])
    return True


def landmarks_still_hold(now: Stage, objects: ObjectStore, step: str) -> bool:
    """Whether the landmarks of `step` are stored as this run would make them, whatever the rules make of them."""
    return _unchanged(now, objects, step) is not None


def kept(now: Stage, name: str) -> bool:
    """Whether the stage's output is an earlier run's that still holds."""
    record = (now.row.stages or {}).get(name)
    return record is not None and record["run_id"] != now.run_id


def _unchanged(now: Stage, objects: ObjectStore, step: str) -> dict | None:
    record = (now.row.stages or {}).get(step)
    if record is None or record["inputs"] != now.inputs().get(step):
        return None
    if not all(getattr(now.row, column) for column in COLUMNS.get(step, ())):
        return None
    for output in expected_outputs(now.row, step):
        entry = (now.row.stored_objects or {}).get(str(output))
        head = objects.head(entry["key"]) if entry else None
        if head is None or head.sha256 != entry["sha256"]:
            now.log.info("%s: job_id=%s is made again, %s is not as it was stored", now.name, now.job_id, output)
            return None
    return record


def _faces_as_asked(now: Stage, objects: ObjectStore) -> bool:
    """Whether the stage's page, if it has one, shows faces as the session asks now. It is no input: what was measured does not follow."""
    page = _PAGES.get(now.name)
    if page is None or shows_no_faces(objects.get(now.row.stored_key(page))) == heading_of(now).faces_blurred:
        return True
    now.log.info("%s: job_id=%s is made again, the session says otherwise of faces", now.name, now.job_id)
    return False


def _guardrails_passed(now: Stage, made_in: int) -> bool:
    """Whether the last answers are of this very output: a run that was lost before its checks leaves those of an older one behind."""
    outcomes = [outcome for outcome in now.jobs.guardrails.latest_of(now.job_id, now.name) if outcome.attempt >= made_in]
    failed = any(not outcome.passed and outcome.severity == "ERROR" for outcome in outcomes)
    return not failed and {outcome.name for outcome in outcomes} >= {guardrail.name for guardrail in GUARDRAILS[now.name]}
