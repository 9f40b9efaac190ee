"""Which finished jobs a backfill covers, and what earlier attempts cost: small columns of a real table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.store import selection as selection_module
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import DEEP_ARTIFACTS, QUICK_ARTIFACTS
from cricksy_pipeline.store.selection import Selection, finished_jobs, past_attempts
from cricksy_pipeline_tests.store.earlier_rows import insert_done, insert_earlier
from cricksy_pipeline_tests.store.rows import done_job, new_job, publish_quick

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVERYTHING = Selection()


def change(store: JobStore, job_id: str, **columns) -> str:
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE video_analysis_jobs SET {assignments} WHERE id = :id"), {**columns, "id": job_id})
    return job_id


def selected(store: JobStore, selection: Selection) -> list[str]:
    return [job.id for job in finished_jobs(store, selection)]


def test_only_finished_jobs_are_selected_of_either_system(job_store):
    done = done_job(job_store)
    completed = insert_earlier(job_store.engine, "an-old-one", status="completed")
    new_job(job_store)
    running = new_job(job_store)
    job_store.claim(running, "run-2")
    publish_quick(job_store, running, "run-2")
    failed = new_job(job_store)
    job_store.claim(failed, "run-3")
    job_store.fail(failed, "run-3", ErrorCode.INTERNAL, "no")
    again = done_job(job_store)
    job_store.claim(again, "run-4")

    assert selected(job_store, EVERYTHING) == sorted([done, completed])


def test_outdated_is_another_version_or_none(job_store):
    current, older, unknown = (change(job_store, done_job(job_store), analysis_version=version) for version in ("new", "old", None))

    assert selected(job_store, Selection(outdated_for="new")) == sorted([older, unknown])
    assert current not in selected(job_store, Selection(outdated_for="new"))


@pytest.mark.parametrize(
    "since",
    [NOON, NOON.replace(tzinfo=None), NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))],
    ids=["utc", "without a zone it is utc", "another zone"],
)
def test_since_is_a_moment_and_includes_it(job_store, since):
    before, at, after = (
        change(job_store, done_job(job_store), created_at=NOON + timedelta(seconds=seconds)) for seconds in (-0.001, 0.0, 3600.0)
    )

    assert selected(job_store, Selection(since=since)) == sorted([at, after])
    assert before not in selected(job_store, Selection(since=since))


def test_conditions_add_up(job_store):
    old_bowling = change(job_store, done_job(job_store, mode="bowling"), analysis_version="old", created_at=NOON)
    change(job_store, done_job(job_store, mode="batting"), analysis_version="old", created_at=NOON)
    change(job_store, done_job(job_store, mode="bowling"), analysis_version="new", created_at=NOON)
    change(job_store, done_job(job_store, mode="bowling"), analysis_version="old", created_at=NOON - timedelta(days=1))

    assert selected(job_store, Selection(outdated_for="new", since=NOON, mode="bowling")) == [old_bowling]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(page=st.integers(1, 4), versions=st.lists(st.sampled_from(["new", "old", None]), max_size=9))
def test_pages_together_are_the_whole_whatever_their_size(job_store, monkeypatch, page, versions):
    with job_store.engine.begin() as connection:
        connection.execute(text("TRUNCATE video_sessions CASCADE"))
    monkeypatch.setattr(selection_module, "PAGE", page)
    ids = {change(job_store, done_job(job_store), analysis_version=version): version for version in versions}

    assert selected(job_store, EVERYTHING) == sorted(ids)
    assert selected(job_store, Selection(outdated_for="new")) == sorted(job for job, version in ids.items() if version != "new")


def test_what_was_recorded_of_a_job_comes_back_and_no_document_is_read(job_store):
    job_id = done_job(job_store, mode="bowling", include_frames=True, sample_fps=12)
    change(job_store, job_id, stages='{"frames": {"inputs": "abc", "run_id": "run-1"}}', analysis_version="v1", created_at=NOON)
    statements = []
    event.listen(job_store.engine, "before_cursor_execute", lambda *sent: statements.append(sent[2]))

    (job,) = finished_jobs(job_store, EVERYTHING)

    assert (job.id, job.created_at, job.analysis_version, job.analysis_mode) == (job_id, NOON, "v1", "bowling")
    assert (job.deep_enabled, job.include_frames, job.sample_fps, job.source_sha256) == (True, True, 12, "0" * 64)
    assert job.stages == {"frames": {"inputs": "abc", "run_id": "run-1"}}
    assert statements and not any(name in " ".join(statements) for name in (*QUICK_ARTIFACTS, *DEEP_ARTIFACTS, "superseded"))


def test_a_job_of_the_earlier_system_has_no_records(job_store):
    insert_done(job_store.engine, "an-old-one")

    (job,) = finished_jobs(job_store, EVERYTHING)

    assert (job.stages, job.analysis_version, job.source_sha256, job.analysis_mode) == (None, None, None, None)


def test_past_attempts_are_the_last_ones_that_ended_well_youngest_first(job_store):
    costs = '{"report": {"inputs": "abc", "run_id": "run-1", "seconds": 1.5, "cpu_s": 0.5}}'
    first, second, unrecorded = (done_job(job_store) for _ in range(3))
    for job_id in (first, second):
        change(job_store, job_id, stages=costs)
    failed_since = change(job_store, done_job(job_store), stages=costs)
    job_store.claim(failed_since, "run-2")
    job_store.fail(failed_since, "run-2", ErrorCode.INTERNAL, "no")
    with job_store.engine.begin() as connection:
        connection.execute(text("UPDATE job_attempts SET ended_at = started_at + interval '7.25 s' WHERE job_id = :id"), {"id": first})
        connection.execute(text("UPDATE job_attempts SET ended_at = started_at + interval '1 min' WHERE job_id = :id"), {"id": second})

    past = past_attempts(job_store)

    assert [round(attempt.seconds, 3) for attempt in past] == [60.0, 7.25]
    assert {attempt.run_id for attempt in past} == {"run-1"}
    assert past[0].stages["report"]["cpu_s"] == 0.5
    assert len(past_attempts(job_store, limit=1)) == 1
    assert job_store.get(unrecorded).stages is None
