"""Old rows get what they hold into the fields that readers read, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.job_read import read_job, unreadable
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.migrate import migrate
from cricksy_pipeline.store.models import DEEP_ARTIFACTS, QUICK_ARTIFACTS, VideoAnalysisJob
from cricksy_pipeline.store.rehydration import rehydrate
from cricksy_pipeline_tests.store.earlier_rows import (
    FINDINGS,
    JSON_COLUMNS,
    REPORT,
    everything,
    insert_done,
    insert_earlier,
    old_results,
)
from cricksy_pipeline_tests.store.rows import done_job, new_job, publish_quick

_NOWHERE = "neither the row nor its session says where the video lies, so its results have no place in the object store"
SIX = {"quick_findings", "quick_report", "deep_findings", "deep_report", "quick_results_s3_key", "deep_results_s3_key"}


@pytest.fixture
def fill(job_store, local_store):
    return lambda **options: rehydrate(job_store, local_store, **{"dry_run": False, **options})


def reasons(counted) -> dict[str, list[str]]:
    return {reason: rows.examples for reason, rows in counted.items()}


def test_a_done_row_that_showed_nothing_is_whole_afterwards_and_the_database_agrees(job_store, local_store, fill):
    job_id = insert_done(job_store.engine, "j1")
    assert "quick_results_s3_key is missing" in unreadable(read_job(job_store.get(job_id), local_store))

    found = fill()

    row = job_store.get(job_id)
    assert unreadable(read_job(row, local_store)) == []
    assert (row.deep_findings["pass"], row.deep_report["pass"], row.quick_findings["pass"], row.quick_report["pass"]) == (
        "deep", "deep", "quick", "quick",
    )  # fmt: skip
    assert (found.looked_at, found.rows_filled, found.filled, found.not_filled) == (1, 1, dict.fromkeys(SIX, 1), {})
    with job_store.engine.begin() as connection:  # any write is checked by the constraint
        connection.execute(text("UPDATE video_analysis_jobs SET error_message = 'touched'"))


def test_the_results_lie_in_the_object_store_under_a_key_of_the_jobs_own(job_store, local_store, fill):
    row = job_store.get(insert_done(job_store.engine, "j1"))
    found = fill()
    stored = job_store.get("j1")
    assert found.objects_stored == 2
    for passname in ("quick", "deep"):
        key = getattr(stored, f"{passname}_results_s3_key")
        assert key == f"coach_plus/coach/c1/s1/j1/analysis/j1/{passname}_results.json"
        assert json.loads(local_store.get(key)) == getattr(row, f"{passname}_results")


def test_s3_serves_as_well_as_a_folder(job_store, s3_store):
    job_id = insert_done(job_store.engine, "j1", s3_bucket=s3_store.bucket)
    assert rehydrate(job_store, s3_store, dry_run=False).objects_stored == 2
    read = read_job(job_store.get(job_id), s3_store)
    assert unreadable(read) == [] and read.deep_results_url
    assert json.loads(s3_store.get(read.deep_results_s3_key)) == read.deep_results


def test_a_completed_row_is_filled_from_the_legacy_results_and_still_reads_as_success(job_store, local_store, fill):
    legacy = {"quick": old_results("quick"), "deep": old_results("deep")}
    job_id = insert_earlier(job_store.engine, "j1", status="completed", stage=None, progress_pct=0, results=legacy)
    found = fill()
    row = job_store.get(job_id)
    assert (row.status, row.stage, row.progress_pct, row.results) == ("completed", None, 0, legacy)
    assert unreadable(read_job(row, local_store)) == []
    assert (row.deep_results, row.quick_results, row.deep_report) == (legacy["deep"], legacy["quick"], legacy["deep"]["report"])
    assert found.filled.keys() == SIX | {"quick_results", "deep_results"}


def test_a_completed_row_with_a_deep_pass_alone_gets_what_there_is_and_the_rest_is_counted(job_store, fill):
    insert_earlier(job_store.engine, "j1", status="completed", deep_results=old_results("deep"))
    found = fill()
    row = job_store.get("j1")
    assert row.deep_findings and row.deep_report and row.deep_results_s3_key
    assert row.quick_findings is None and row.quick_results_s3_key is None
    assert (found.rows_filled, reasons(found.not_filled)) == (1, {"there are no quick results in the row": ["j1"]})
    assert found.still_unreadable == {}


def test_a_failed_row_keeps_its_failure_and_gets_the_quick_pass_that_it_had(job_store, local_store, fill):
    insert_earlier(job_store.engine, "j1", status="failed", stage="FAILED", progress_pct=50, quick_results=old_results("quick"))
    insert_earlier(job_store.engine, "j2", status="failed", stage="FAILED", progress_pct=5)
    found = fill()
    row = job_store.get("j1")
    assert (row.status, row.stage, row.progress_pct) == ("failed", "FAILED", 50)
    assert read_job(row, local_store).report_available and row.quick_report
    assert (found.looked_at, found.rows_filled, found.not_filled, found.still_unreadable) == (1, 1, {}, {})


def test_a_report_of_the_earlier_system_that_no_reader_renders_is_filled_and_reported(job_store, local_store, fill):
    silent = old_results("deep", report={"drills": ["Shadow batting"]})
    insert_done(job_store.engine, "j1", deep_results=silent)
    found = fill()
    assert job_store.get("j1").deep_report == {"drills": ["Shadow batting"]}
    assert reasons(found.still_unreadable) == {why: ["j1"] for why in unreadable(read_job(job_store.get("j1"), local_store))} != {}


@pytest.mark.parametrize(("stage", "progress"), [("COMPLETED", 100), (None, 100), ("DONE", 99), ("AGGREGATING", 99)])
def test_a_done_row_at_another_stage_is_brought_to_its_end(job_store, local_store, fill, stage, progress):
    insert_done(job_store.engine, "j1", stage=stage, progress_pct=progress)
    fill()
    row = job_store.get("j1")
    assert (row.stage, row.progress_pct) == ("DONE", 100)
    assert unreadable(read_job(row, local_store)) == []


def test_a_row_older_than_the_snapshot_of_the_upload_takes_it_from_its_session(job_store, fill):
    insert_done(job_store.engine, "j1", s3_bucket=None, s3_key=None)
    found = fill()
    row = job_store.get("j1")
    assert (row.s3_bucket, row.s3_key) == ("local", "coach_plus/coach/c1/s1/v0/original.mp4")
    assert row.deep_results_s3_key == "coach_plus/coach/c1/s1/v0/analysis/j1/deep_results.json"
    assert found.filled["s3_key"] == 1


NOT_WHOLE = [
    ({"deep_results": None, "results": None}, "there are no deep results in the row"),
    ({"deep_results": "raw:null", "results": "raw:null"}, "there are no deep results in the row"),
    ({"deep_results": {}, "results": {}}, "there are no deep results in the row"),
    ({"deep_results": [1, 2], "results": None}, "deep_results is a list, not an object, and is left as it is"),
    ({"deep_results": "see the log", "results": None}, "deep_results is a text, not an object, and is left as it is"),
    ({"deep_results": None, "results": {"deep": [1]}}, "there are no deep results in the row: the legacy ones are a list"),
    ({"deep_results": old_results("deep", findings=None)}, "the deep results hold no findings"),
    ({"deep_results": old_results("deep", findings=[])}, "the deep results hold no findings"),
    ({"deep_results": old_results("deep", findings=[FINDINGS])}, "the deep results hold no findings: it is a list, not an object"),
    ({"deep_results": old_results("deep", report="Well done.")}, "the deep results hold no report: it is a text, not an object"),
    ({"quick_results": old_results("quick", report={})}, "the quick results hold no report"),
    ({"deep_report": ["Well done."]}, "deep_report is a list, not an object, and is left as it is"),
    ({"deep_report": 7}, "deep_report is a number, not an object, and is left as it is"),
    ({"s3_bucket": "elsewhere"}, "its video lies in the bucket elsewhere, this object store is local"),
    ({"s3_key": "../../etc/passwd"}, "the object store has no place beside the video"),
    ({"deep_results": 'raw:{"findings": {"findings": [1e999]}, "report": {"text": "a"}}'}, "cannot be kept: a number that is not finite"),
    ({"deep_results": r'raw:{"findings": {"findings": ["\u0000"]}, "report": {"text": "a"}}'}, "the deep results hold what cannot be kept"),
    ({"deep_results": r'raw:{"findings": {"findings": ["\ud83d"]}, "report": {"text": "a"}}'}, "the deep results hold what cannot be kept"),
    ({"deep_results": 'raw:{"findings": {"findings": [' + "9" * 5000 + "]}}"}, "a reader cannot open the row: ValueError"),
]


@pytest.mark.parametrize(("columns", "reason"), NOT_WHOLE, ids=[str(number) for number in range(len(NOT_WHOLE))])
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_done_row_that_cannot_be_made_whole_is_left_exactly_as_it_is_and_says_why(job_store, local_store, fill, columns, reason, dry_run):
    insert_done(job_store.engine, "j1", **columns)
    insert_done(job_store.engine, "j2")
    before = everything(job_store.engine)[0]

    found = fill(dry_run=dry_run)

    assert everything(job_store.engine)[0] == before
    assert [why for why in found.not_filled if reason in why and found.not_filled[why].examples == ["j1"]]
    assert found.rows_filled == 1, "one bad row does not stop the others"
    assert not [head.key for head in local_store.list() if "/j1/" in head.key]


def test_neither_row_nor_session_says_where_the_video_lies(job_store, fill):
    insert_done(job_store.engine, "j1", s3_bucket=None, s3_key=None)
    with job_store.engine.begin() as connection:
        connection.execute(text("UPDATE video_sessions SET s3_key = NULL"))
    found = fill()
    assert reasons(found.not_filled) == {_NOWHERE: ["j1"]}
    assert job_store.get("j1").deep_findings is None


def test_another_document_at_the_place_of_the_results_is_not_written_over(job_store, local_store, fill):
    insert_done(job_store.engine, "j1")
    key = "coach_plus/coach/c1/s1/j1/analysis/j1/deep_results.json"
    local_store.put(key, b'{"another": 1}')
    found = fill()
    assert local_store.get(key) == b'{"another": 1}'
    assert job_store.get("j1").deep_findings is None
    assert reasons(found.not_filled) == {"another document lies already where its results would be stored; compare the two by hand": ["j1"]}


def test_a_field_that_holds_something_is_never_overwritten(job_store, fill):
    newer = {**REPORT, "text": "Newer."}
    insert_done(job_store.engine, "j1", deep_report=newer, deep_results_s3_key="kept.json", deep_findings={}, quick_report="raw:null")
    found = fill()
    row = job_store.get("j1")
    assert (row.deep_report, row.deep_results_s3_key) == (newer, "kept.json")
    assert (row.deep_findings["pass"], row.quick_report["pass"]) == ("deep", "quick"), "JSON null and {} hold nothing"
    assert "deep_report" not in found.filled and "deep_results_s3_key" not in found.filled


def test_rows_of_this_pipeline_and_rows_that_have_not_ended_are_not_looked_at(job_store, fill):
    done_job(job_store)
    held, retried = new_job(job_store), new_job(job_store)
    for job_id in (held, retried):
        job_store.claim(job_id, f"run-{job_id}")
        publish_quick(job_store, job_id, f"run-{job_id}")
    # Failed, queued again, and failed before a run claimed it: no run id is left, the attempts are.
    job_store.fail(retried, f"run-{retried}", ErrorCode.POSE_CRASHED, "It crashed.")
    job_store.requeue(retried)
    job_store.fail_unclaimed(retried, ErrorCode.CANCELED, "Stopped.")
    for status in ("queued", "processing", "quick_done"):
        insert_earlier(job_store.engine, status, status=status, quick_results=old_results("quick"))
    before = everything(job_store.engine)
    found = fill()
    assert (found.looked_at, found.rows_filled) == (0, 0)
    assert everything(job_store.engine) == before


def test_a_row_that_another_transaction_holds_is_passed_over_and_filled_the_next_time(job_store, fill):
    insert_done(job_store.engine, "j1")
    insert_done(job_store.engine, "j2")
    with job_store.engine.begin() as other:
        other.execute(text("SELECT 1 FROM video_analysis_jobs WHERE id = 'j1' FOR UPDATE"))
        assert fill().rows_filled == 1
    assert job_store.get("j1").deep_findings is None
    assert fill().rows_filled == 1
    assert job_store.get("j1").deep_findings


def test_what_was_stopped_in_the_middle_is_resumed_by_running_it_again(job_store, local_store, fill):
    for number in range(5):
        insert_done(job_store.engine, f"j{number}")
    seen = []

    def stop(found):
        seen.append(found.looked_at)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(batch=2, on_progress=stop)
    assert [bool(job_store.get(f"j{number}").deep_findings) for number in range(5)] == [True, True, True, True, False]
    found = fill(batch=2)
    assert (found.looked_at, found.already_whole, found.rows_filled, found.after) == (5, 4, 1, "j4")


def test_a_store_that_fails_undoes_only_the_batch_and_the_next_run_takes_up_what_was_stored(job_store, local_store, monkeypatch, fill):
    for number in range(4):
        insert_done(job_store.engine, f"j{number}")
    put, calls = local_store.put, []

    def failing(key, *arguments):
        calls.append(key)
        if len(calls) == 8:
            raise CricksyError(ErrorCode.STORE_UNAVAILABLE, "away")
        return put(key, *arguments)

    monkeypatch.setattr(local_store, "put", failing)
    with pytest.raises(CricksyError, match="away"):
        fill(batch=2)
    assert [bool(job_store.get(f"j{number}").deep_findings) for number in range(4)] == [True, True, False, False]
    monkeypatch.setattr(local_store, "put", put)
    found = fill(batch=2)
    assert (found.already_whole, found.rows_filled, found.objects_stored) == (2, 2, 1)
    assert found.not_filled == {}


def test_it_can_begin_behind_an_id(job_store, fill):
    for number in range(3):
        insert_done(job_store.engine, f"j{number}")
    assert fill(after="j1").rows_filled == 1
    assert [bool(job_store.get(f"j{number}").deep_findings) for number in range(3)] == [False, False, True]


def test_of_many_rows_with_the_same_reason_all_are_counted_and_twenty_named(job_store, fill):
    for number in range(30):
        insert_earlier(job_store.engine, f"j{number:02}")
    found = fill(batch=7)
    rows = found.not_filled["there are no deep results in the row"]
    assert (rows.count, rows.examples) == (30, [f"j{number:02}" for number in range(20)])


def test_a_row_that_the_database_refuses_is_counted_and_the_others_are_filled(job_store, fill):
    """A trigger stands for whatever a database of another house forbids."""
    insert_done(job_store.engine, "j1")
    insert_done(job_store.engine, "j2")
    with job_store.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN IF NEW.id = 'j1' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$"
            )
        )
        connection.execute(text("CREATE TRIGGER forbid BEFORE UPDATE ON video_analysis_jobs FOR EACH ROW EXECUTE FUNCTION forbid()"))
    found = fill()
    assert reasons(found.not_filled) == {"the database refuses the row: not this one": ["j1"]}
    assert job_store.get("j2").deep_findings and not job_store.get("j1").deep_findings


def test_a_row_that_gives_back_something_else_is_not_kept(job_store, fill):
    insert_done(job_store.engine, "j1")
    with job_store.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
                '$$ BEGIN NEW.quick_report = \'{"text": "Spoilt."}\'; RETURN NEW; END $$'
            )
        )
        connection.execute(text("CREATE TRIGGER spoil BEFORE UPDATE ON video_analysis_jobs FOR EACH ROW EXECUTE FUNCTION spoil()"))
    before = everything(job_store.engine)
    assert reasons(fill().not_filled) == {"the row gives back another quick_report than was written": ["j1"]}
    assert everything(job_store.engine) == before


def test_the_earlier_systems_own_database_is_adopted_and_rehydrated(empty_database, s3_client, s3_store):
    """Its columns are of other types here: JSONB, times without a zone, no snapshot of the upload, text arrays."""
    with empty_database() as url:
        engine = make_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql((Path(__file__).parent / "earlier_system.sql").read_text())
            connection.execute(text("UPDATE video_sessions SET s3_bucket = :bucket"), {"bucket": s3_store.bucket})
        migrate(url)
        jobs = JobStore(engine)

        planned = rehydrate(jobs, s3_store, dry_run=True)
        found = rehydrate(jobs, s3_store, dry_run=False)

        assert {**vars(planned), "dry_run": False} == vars(found)
        assert (found.looked_at, found.rows_filled, found.already_whole) == (3, 2, 0)
        done = jobs.get("old-done")
        assert unreadable(read_job(done, s3_store)) == []
        assert (done.deep_findings["overall_level"], done.quick_report, done.stage) == ("high", {"text": "Quick."}, "DONE")
        assert done.deep_results_s3_key == "analysis/old-done/deep_results.json"
        completed = jobs.get("old-completed")
        assert (completed.status, completed.deep_report) == ("completed", {"text": "From results."})
        assert unreadable(read_job(completed, s3_store)) == []
        assert reasons(found.not_filled) == {
            "the quick results hold no findings": ["old-completed"],
            "the quick results hold no report": ["old-completed"],
            "there are no quick results in the row": ["old-empty"],
            "there are no deep results in the row": ["old-empty"],
        }
        engine.dispose()


# The laws, over rows of every kind.
WHOLE = {"findings": FINDINGS, "report": REPORT}
INSIDE = {
    "findings": st.sampled_from([FINDINGS, None, {}, [], "none", [FINDINGS], {"findings": []}]),
    "report": st.sampled_from([REPORT, None, {}, "none", [1], {"text": " "}]),
}
PASS_RESULTS = st.one_of(
    st.sampled_from(["raw:null", {}, [], [1], "text", 3, True]),
    st.fixed_dictionaries({"metrics": st.just({"a": 1})}, optional=INSIDE),
    st.just(WHOLE),
)
OLD_ROW = st.fixed_dictionaries(
    {"status": st.sampled_from(["done", "done", "completed", "failed"]), "stage": st.sampled_from(["DONE", None, "DEEP"])},
    optional={
        "deep_enabled": st.booleans(),
        "quick_results": PASS_RESULTS,
        "deep_results": PASS_RESULTS,
        "results": st.fixed_dictionaries({}, optional={"quick": st.just(WHOLE), "deep": st.just({"a": 1})}),
        "deep_findings": st.sampled_from([FINDINGS, "raw:null", {}, [1]]),
        "quick_report": st.sampled_from([REPORT, {}, "text"]),
        "deep_results_s3_key": st.sampled_from(["kept.json", ""]),
        "s3_key": st.sampled_from(["a/b.mp4", None, "/absolute.mp4"]),
        "s3_bucket": st.sampled_from(["local", None, "elsewhere"]),
    },
)
COLUMNS = [column.name for column in VideoAnalysisJob.__table__.columns]
DOCUMENTS = tuple(name for name in (*QUICK_ARTIFACTS, *DEEP_ARTIFACTS) if not name.endswith("_key"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(OLD_ROW, min_size=1, max_size=4))
def test_whatever_the_rows_are(job_store, local_store, old_rows):
    with job_store.engine.begin() as connection:
        connection.execute(text("TRUNCATE video_sessions CASCADE"))
    for head in list(local_store.list()):
        local_store.delete(head.key)
    ids = [insert_earlier(job_store.engine, f"j{number}", **columns) for number, columns in enumerate(old_rows)]
    before = {job_id: job_store.get(job_id) for job_id in ids}
    shown = {job_id: read_job(row, local_store) for job_id, row in before.items()}
    untouched = everything(job_store.engine)

    planned = rehydrate(job_store, local_store, dry_run=True, batch=2)
    assert everything(job_store.engine) == untouched and list(local_store.list()) == []
    found = rehydrate(job_store, local_store, dry_run=False, batch=3)
    assert {**vars(planned), "dry_run": False} == vars(found), "a dry run says what will be done"

    refused = {job_id for rows in found.not_filled.values() for job_id in rows.examples}
    for job_id in ids:
        row, read = job_store.get(job_id), read_job(job_store.get(job_id), local_store)
        assert {name: getattr(read, name) for name in DOCUMENTS} == {name: getattr(shown[job_id], name) for name in DOCUMENTS}
        for column in COLUMNS:
            was = getattr(before[job_id], column)
            if was not in (None, {}, [], "") and column not in ("stage", "progress_pct", "updated_at"):
                assert getattr(row, column) == was, "nothing that was there is overwritten"
        if row.status == "done" and job_id not in refused:
            assert read.missing_artifacts == [] and (row.stage, row.progress_pct) == ("DONE", 100)
        if row.status == "done" and job_id in refused:
            assert all(getattr(row, name) == getattr(before[job_id], name) for name in (*JSON_COLUMNS, "stage", "s3_key", "updated_at"))

    after = everything(job_store.engine)
    again = rehydrate(job_store, local_store, dry_run=False)
    assert everything(job_store.engine) == after and (again.rows_filled, again.objects_stored) == (0, 0)
    assert again.not_filled == found.not_filled
