"""The proof that comes before `done`.

Belongs here: what must hold, as read back from the database and the store, before a row may say that it is finished.
Does not belong here: the guardrails themselves (`analysis.guardrails`).
"""

from __future__ import annotations

import json
from collections.abc import Collection

from cricksy_pipeline.analysis.guardrails import GUARDRAILS
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration.keeping import expected_outputs
from cricksy_pipeline.orchestration.persist import length
from cricksy_pipeline.orchestration.stage import Discredited, Stage
from cricksy_pipeline.store.claims import as_it_was
from cricksy_pipeline.store.guardrail_log import RecordedOutcome
from cricksy_pipeline.store.job_read import VideoAnalysisJobRead, read_job, unreadable
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.models import JobStatus, VideoAnalysisJob
from cricksy_pipeline.store.objects import ObjectMissing, ObjectStore, sha256_of


def prove_guardrails(now: Stage) -> list[RecordedOutcome]:
    """Every named guardrail of every asset has a result from this run in our own table, and none failed with severity ERROR.

    Dagster's own gate holds only inside one run whose checks nobody unticked; this one holds always.
    Raises CricksyError GUARDRAIL_FAILED naming each that is missing or failed.
    """
    results = now.jobs.guardrails.results_of(now.job_id, now.run_id)
    by_name = {(result.asset, result.name): result for result in results if result.attempt == now.row.attempt}
    wrong = []
    for asset, guardrails in GUARDRAILS.items():
        for guardrail in guardrails:
            result = by_name.get((asset, guardrail.name))
            if result is None:
                wrong.append(f"{asset}.{guardrail.name} was not evaluated in this run")
            elif not result.passed and result.severity == "ERROR":
                wrong.append(f"{asset}.{guardrail.name} failed: {result.message}")
    if wrong:
        raise CricksyError(ErrorCode.GUARDRAIL_FAILED, "; ".join(wrong))
    return list(by_name.values())


def prove_stages(now: Stage) -> None:
    """Every stage was made or found to hold in this very attempt, from the inputs that it has now; nothing older is left in the row.

    Raises CricksyError GUARDRAIL_FAILED naming each that is not.
    """
    records, inputs = now.row.stages or {}, now.inputs()
    stages = [name for name in GUARDRAILS if now.row.deep_enabled or name in ("frames", "quick_results")]
    wrong = [name for name in stages if _as_made(records.get(name)) != (inputs.get(name), now.row.attempt)]
    if wrong:
        raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"Not made or proven to hold in this attempt: {', '.join(wrong)}.")


def _as_made(record: dict | None) -> tuple[str | None, int] | None:
    return (record["inputs"], record["attempt"]) if record else None


def prove_readable(now: Stage, objects: ObjectStore) -> VideoAnalysisJobRead:
    """The row as the API would answer it, with nothing missing that a reader renders, and every object as it was stored.

    Raises CricksyError GUARDRAIL_FAILED naming what a reader could not read; `Discredited` where the analysis that this one
    was to replace cannot be read either.
    """
    row = now.jobs.get(now.job_id)
    read = read_job(row, objects, unproven=True)
    wrong = unreadable(read) + _contradictions(row) + _changed_objects(row, objects)
    if wrong:
        kind = Discredited if earlier_is_broken(now, objects) else CricksyError
        raise kind(ErrorCode.GUARDRAIL_FAILED, "A reader could not read the result: " + "; ".join(wrong))
    return read


def earlier_is_broken(now: Stage, objects: ObjectStore) -> bool:
    """Whether the finished analysis that this run was to replace fails its own proof by now: it is then not put back."""
    if not now.row.superseded:
        return False
    earlier = as_it_was(now.row)
    wrong = unreadable(read_job(earlier, objects))
    if earlier.status == JobStatus.DONE and earlier.stored_objects:  # the earlier system recorded no objects
        # It is held to what it recorded: an analysis of before there were PDFs is whole without one.
        wrong += _contradictions(earlier) + _changed_objects(earlier, objects, only=set(earlier.stored_objects))
    return bool(wrong)


def complete(now: Stage) -> VideoAnalysisJob:
    """The one update to `done`, and the line that operators look for, from the row as it then reads."""
    now.jobs.complete(now.job_id, now.run_id)
    row = now.jobs.get(now.job_id)
    passname = "deep" if row.deep_enabled else "quick"
    findings, report, key = (getattr(row, f"{passname}_{part}") for part in ("findings", "report", "results_s3_key"))
    now.log.info(
        "[PERSISTED] %s job completed: job_id=%s status_after=%s stage=%s progress=%d%% "
        "%s_results_s3_key=%s findings_len=%d report_len=%d",
        passname.capitalize(), row.id, row.status, row.stage, row.progress_pct, passname, key, length(findings), length(report),
    )  # fmt: skip
    return row


def _contradictions(row: VideoAnalysisJob) -> list[str]:
    """Where two fields of the row that must say the same do not."""
    wrong = []
    for passname, results_output in (("quick", Output.QUICK_RESULTS), ("deep", Output.DEEP_RESULTS))[: 2 if row.deep_enabled else 1]:
        results = getattr(row, f"{passname}_results") or {}
        for part in ("findings", "report"):
            if getattr(row, f"{passname}_{part}") != results.get(part):
                wrong.append(f"{passname}_{part} is not what {passname}_results holds")
        if getattr(row, f"{passname}_results_s3_key") != row.stored_key(results_output):
            wrong.append(f"{passname}_results_s3_key does not name the object that this attempt made or kept")
    if str(Output.REPORT_PDF) in (row.stored_objects or {}) and row.pdf_s3_key != row.stored_key(Output.REPORT_PDF):
        wrong.append("pdf_s3_key does not name the object that this attempt made or kept")
    return wrong


def _changed_objects(row: VideoAnalysisJob, objects: ObjectStore, *, only: Collection[str] | None = None) -> list[str]:
    """What is not in the store as this attempt wrote or kept it, or says something else than the row. `only`: of these outputs."""
    documents = {Output.QUICK_RESULTS: row.quick_results}
    steps = ["frames", "quick_landmarks", "quick_results"]
    if row.deep_enabled:
        documents |= {Output.DEEP_RESULTS: row.deep_results, Output.FINDINGS: row.deep_findings, Output.REPORT: row.deep_report}
        steps += ["deep_landmarks", "deep_results", "findings", "report"]
    written = row.stored_objects or {}
    wrong = []
    for output in dict.fromkeys(output for step in steps for output in expected_outputs(row, step)):
        if only is not None and str(output) not in only:
            continue
        key = row.stored_key(output)
        try:
            data = objects.get(key)
        except ObjectMissing:
            wrong.append(f"the object {key} is not in the store")
            continue
        if sha256_of(data) != written.get(str(output), {}).get("sha256"):
            wrong.append(f"the object {key} is not what was stored")
        elif output in documents and json.loads(data) != documents[output]:
            wrong.append(f"the object {key} differs from the row")
    return wrong
