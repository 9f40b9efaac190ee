"""Another analysis because a person said more: queued whatever the job's end was, and the earlier one kept until the new one is proven."""

from __future__ import annotations

import pytest

from cricksy_pipeline.analysis import options
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store import upload_options
from cricksy_pipeline.store.job_read import read_job
from cricksy_pipeline.store.reanalysis import analyse_anew
from cricksy_pipeline.store.run_queue import RunQueue
from cricksy_pipeline_tests.store.rows import FINDINGS, REPORT, RESULTS, done_job, new_job


def with_people(job_store, count: int) -> str:
    """A finished job whose quick pass lists so many people."""
    job_id = new_job(job_store, deep_enabled=False)
    job_store.claim(job_id, "run-1")
    summary = {**RESULTS.get("pose_summary", {}), "subject": {"people": [{"number": n + 1} for n in range(count)]}}
    results = {**RESULTS, "pose_summary": summary, "findings": FINDINGS, "report": REPORT}
    job_store.publish_quick(job_id, "run-1", results, FINDINGS, REPORT, "quick.json")
    job_store.complete(job_id, "run-1")
    return job_id


def test_a_finished_job_is_queued_with_the_options_and_readers_keep_what_they_have(job_store, local_store):
    job_id = done_job(job_store)
    before = read_job(job_store.get(job_id), local_store)
    assert analyse_anew(job_store, job_id, {"subject": 2, "slow_motion": 8.0})
    row = job_store.get(job_id)
    assert (row.status, row.analysis_options, row.request) == ("queued", {"subject": 2, "slow_motion": 8.0}, 2)
    assert read_job(row, local_store).deep_findings == before.deep_findings
    assert [job.id for job in RunQueue(job_store.engine).waiting(5)] == [job_id]
    claimed = job_store.claim(job_id, "run-2")
    assert claimed.attempt == 2 and claimed.superseded["status"] == "done"


def test_what_was_said_is_forgotten_again_when_the_new_analysis_fails(job_store):
    job_id = done_job(job_store)
    analyse_anew(job_store, job_id, {"subject": 2})
    job_store.claim(job_id, "run-2")
    job_store.fail(job_id, "run-2", ErrorCode.OPTIONS_INVALID, "There is no person 2.", "quick_results")
    row = job_store.get(job_id)
    assert (row.status, row.analysis_options, row.superseded) == ("done", None, None)


def test_a_failed_job_takes_the_options_and_a_running_one_does_not(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    assert analyse_anew(job_store, job_id, {"subject": 1}) is False
    job_store.fail(job_id, "run-1", ErrorCode.INTERNAL, "oops")
    assert analyse_anew(job_store, job_id, {"subject": 1}) is True
    assert (job_store.get(job_id).status, job_store.get(job_id).analysis_options) == ("queued", {"subject": 1})
    job_store.claim(job_id, "run-2")
    job_store.fail(job_id, "run-2", ErrorCode.INTERNAL, "oops")
    assert job_store.requeue(job_id) and job_store.get(job_id).analysis_options == {"subject": 1}  # a plain retry keeps what was said
    job_store.claim(job_id, "run-3")
    job_store.fail(job_id, "run-3", ErrorCode.INTERNAL, "oops")
    assert analyse_anew(job_store, job_id, {}) and job_store.get(job_id).analysis_options is None


def test_a_person_who_is_not_listed_is_refused_before_anything_is_queued(job_store):
    job_id = with_people(job_store, 2)
    with pytest.raises(CricksyError, match="no person 3; the analysis saw 2: 1 to 2") as caught:
        analyse_anew(job_store, job_id, {"subject": 3})
    assert caught.value.code == ErrorCode.OPTIONS_INVALID and job_store.get(job_id).status == "done"
    assert analyse_anew(job_store, job_id, {"subject": 2})


def test_the_limits_of_the_options_are_the_same_in_both_rooms():
    assert (upload_options.MOST_PEOPLE, upload_options.MOST_SLOW_MOTION) == (options.MOST_PEOPLE, options.MOST_SLOW_MOTION)
