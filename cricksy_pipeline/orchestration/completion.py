"""The proof that comes before `done`.

Belongs here: what must hold, as read back from the database and the store, before a row may say that it is finished.
Does not belong here: the guardrails themselves (`analysis.guardrails`).
"""

from __future__ import annotations

import json

from cricksy_pipeline.analysis.guardrails import GUARDRAILS
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration.persist import length
from cricksy_pipeline.orchestration.stage import Stage
from cricksy_pipeline.store.guardrail_log import RecordedOutcome
from cricksy_pipeline.store.job_read import VideoAnalysisJobRead, read_job, unreadable
from cricksy_pipeline.store.keys import Output, output_key
from cricksy_pipeline.store.models import VideoAnalysisJob
from cricksy_pipeline.store.objects import ObjectStore


def prove_guardrails(now: Stage) -> list[RecordedOutcome]:
    """Every named guardrail of every asset has a result from this run in our own table, and none failed with severity ERROR.

    Dagster's own gate holds only inside one run whose checks nobody unticked; this one holds always.
    Raises CricksyError GUARDRAIL_FAILED naming each that is missing or failed.
    """
    results = now.jobs.guardrails.results_of(now.job_id, now.run_id)
    by_name = {(result.asset, result.name): result for result in results}
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
    return results


def prove_readable(now: Stage, objects: ObjectStore) -> VideoAnalysisJobRead:
    """The row as the API would answer it, with nothing missing that a reader renders.

    Raises CricksyError GUARDRAIL_FAILED naming what a reader could not read.
    """
    row = now.jobs.get(now.job_id)
    read = read_job(row, objects)
    missing = unreadable(read) + _unequal_objects(row, objects)
    if missing:
        raise CricksyError(ErrorCode.GUARDRAIL_FAILED, "A reader could not read the result: " + "; ".join(missing))
    return read


def complete(now: Stage) -> VideoAnalysisJob:
    """The one update to `done`, and the line that operators look for, from the row as it then reads."""
    now.jobs.complete(now.job_id, now.run_id)
    row = now.jobs.get(now.job_id)
    now.log.info(
        "[PERSISTED] Deep job completed: job_id=%s status_after=%s stage=%s progress=%d%% "
        "deep_results_s3_key=%s findings_len=%d report_len=%d",
        row.id, row.status, row.stage, row.progress_pct, row.deep_results_s3_key, length(row.deep_findings), length(row.deep_report),
    )  # fmt: skip
    return row


def _unequal_objects(row: VideoAnalysisJob, objects: ObjectStore) -> list[str]:
    """What is missing in the store, or says something else than the row."""
    documents = {Output.QUICK_RESULTS: row.quick_results}
    others = [Output.FRAMES, Output.QUICK_FRAMES, Output.REPORT_HTML]
    if row.deep_enabled:
        documents |= {Output.DEEP_RESULTS: row.deep_results, Output.FINDINGS: row.deep_findings, Output.REPORT: row.deep_report}
        others += [Output.DEEP_FRAMES]
    wrong = [_compared(objects, output_key(row.s3_key, row.id, output), document) for output, document in documents.items()]
    keys = [output_key(row.s3_key, row.id, output) for output in others]
    wrong += [f"the object {key} is not in the store" for key in keys if objects.head(key) is None]
    return [reason for reason in wrong if reason]


def _compared(objects: ObjectStore, key: str, document: dict | None) -> str | None:
    try:
        stored = json.loads(objects.get(key))
    except CricksyError as error:
        if error.code is ErrorCode.STORE_UNAVAILABLE:
            raise
        return f"the object {key} is not in the store"
    except ValueError:
        return f"the object {key} is not JSON"
    return None if stored == document else f"the object {key} differs from the row"
