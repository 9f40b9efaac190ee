"""Finished rows that a reader could not render are found, all of them, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from cricksy_pipeline.store.job_read import read_job, unreadable
from cricksy_pipeline.store.readability import unreadable_done, why_unreadable
from cricksy_pipeline.store.rehydration import rehydrate
from cricksy_pipeline_tests.store.earlier_rows import FINDINGS, REPORT, insert_done, insert_earlier, old_results
from cricksy_pipeline_tests.store.rows import done_job, new_job, publish_quick


@pytest.fixture
def adopted_store(job_store):
    """A table that holds NULL where ours has a default, as an adopted one may."""
    with job_store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE video_analysis_jobs ALTER deep_enabled DROP NOT NULL"))
    return job_store


def test_rows_of_this_pipeline_are_readable_without_a_close_look(job_store, local_store):
    done_job(job_store)
    page = unreadable_done(job_store, local_store)
    assert (page.found, page.looked_at, page.after) == ([], 0, None)


def test_a_done_row_that_shows_nothing_is_named_with_what_a_reader_misses(job_store, local_store):
    done_job(job_store)
    insert_earlier(job_store.engine, "hollow", deep_results={"metrics": {"a": 1}}, quick_results=old_results("quick"))
    (found,) = unreadable_done(job_store, local_store).found
    assert (found.id, found.status) == ("hollow", "done")
    assert found.reasons == tuple(unreadable(read_job(job_store.get("hollow"), local_store)))
    assert {"deep_findings is missing", "deep_report is missing"} <= set(found.reasons)


def test_rows_on_their_way_and_failed_ones_are_not_judged(job_store, local_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    publish_quick(job_store, job_id, "run-1")
    insert_earlier(job_store.engine, "failed", status="failed")
    assert unreadable_done(job_store, local_store).looked_at == 0


def test_an_old_row_is_read_closely_until_it_is_rehydrated(job_store, local_store):
    insert_done(job_store.engine, "j1")
    insert_earlier(job_store.engine, "j2", status="completed", results={"deep": old_results("deep"), "quick": old_results("quick")})
    page = unreadable_done(job_store, local_store)
    assert ([row.id for row in page.found], page.looked_at) == (["j1"], 2)
    rehydrate(job_store, local_store, dry_run=False)
    page = unreadable_done(job_store, local_store)
    assert (page.found, page.looked_at) == ([], 0)


def test_a_long_table_is_read_in_pages_that_join_without_gap_or_overlap(job_store, local_store):
    for number in range(7):
        insert_earlier(job_store.engine, f"j{number}", status="completed", results={"deep": old_results("deep") if number % 2 else None})
        done_job(job_store, f"run-{number}")
    seen, looked_at, after = [], 0, ""
    while after is not None:
        page = unreadable_done(job_store, local_store, after=after, limit=3)
        seen += [row.id for row in page.found]
        looked_at, after = looked_at + page.looked_at, page.after
    assert (seen, looked_at) == (["j0", "j2", "j4", "j6"], 7)


def test_a_row_whose_json_cannot_even_be_loaded_is_unreadable_and_stops_nothing(job_store, local_store):
    insert_earlier(job_store.engine, "j1", deep_results='raw:{"findings": {"findings": [' + "9" * 5000 + "]}}")
    insert_earlier(job_store.engine, "j2")
    found = unreadable_done(job_store, local_store).found
    assert [row.id for row in found] == ["j1", "j2"]
    assert found[0].reasons[0].startswith("a reader cannot open the row: ValueError")


WHOLE = {
    "quick_results": old_results("quick"),
    "deep_results": old_results("deep"),
    "quick_findings": FINDINGS,
    "deep_findings": FINDINGS,
    "quick_report": REPORT,
    "deep_report": REPORT,
    "quick_results_s3_key": "quick.json",
    "deep_results_s3_key": "deep.json",
}
NO_OBJECT = ("raw:null", {}, [], [1], "text", 7, 'raw: \n { "a" : 1}', r'raw:{"a": "\u0000"}')
LEVELS = ("", None, 0, 3, ["a"], "low")
DEVIATIONS = [
    *((f"{passname}_{part}", value) for passname in ("quick", "deep") for part in ("results", "findings", "report") for value in NO_OBJECT),
    *((f"{passname}_results_s3_key", value) for passname in ("quick", "deep") for value in ("", None)),
    *(("stage", value) for value in ("DEEP", None)),
    *(("progress_pct", value) for value in (99, 0, 250)),
    *(("results", value) for value in ({}, [], "raw:null", "text", {"deep": old_results("deep"), "quick": old_results("quick")})),
    ("superseded", '{"deep_report": {"text": ""}, "quick_report": {"text": ""}}'),
    *(
        (f"{passname}_findings", value)
        for passname in ("quick", "deep")
        for value in (
            *({**FINDINGS, "findings": inside} for inside in ([], None, {}, "x", 3)),
            *({"findings": [], "overall_level": level} for level in LEVELS),
            *({"findings": [], "overall_level": None, "overall_level_reason": reason} for reason in (*LEVELS, "nobody was seen")),
            r'raw:{"findings": [], "overall_level": "low", "a": "\u0000"}',
        )
    ),
    *(
        (f"{passname}_report", value)
        for passname in ("quick", "deep")
        for value in (
            *({"text": words} for words in ("", "  ", "\u2003", ".", "पैर", None, False, 0, 5, ["a"], [], {"a": 1})),
            'raw:{"text": "a", "text": " "}',
            r'raw:{"text": "\ud83d"}',
            r'raw:{"text": "well\u0000"}',
        )
    ),
]


def judged_and_found(store, objects, rows) -> tuple[dict, dict]:
    """What the judge has against each of the rows, asked one by one, and what the page over the table says."""
    with store.engine.begin() as connection:
        connection.execute(text("TRUNCATE video_sessions CASCADE"))
    ids = [insert_earlier(store.engine, f"j{number:04}", **columns) for number, columns in enumerate(rows)]
    judged = {job_id: why_unreadable(store.get(job_id), objects) for job_id in ids}
    page = unreadable_done(store, objects, limit=len(ids) + 1)
    return {job_id: reasons for job_id, reasons in judged.items() if reasons}, {row.id: list(row.reasons) for row in page.found}


@pytest.mark.parametrize("status", ["done", "completed"])
@pytest.mark.parametrize("deep_enabled", [True, False, None])
def test_whatever_is_wrong_with_a_row_the_filter_in_sql_does_not_pass_over_it(adopted_store, local_store, status, deep_enabled):
    kind = {**WHOLE, "status": status, "deep_enabled": deep_enabled}
    judged, found = judged_and_found(adopted_store, local_store, [kind, *({**kind, name: value} for name, value in DEVIATIONS)])
    assert found == judged
    assert "j0000" not in judged and len(judged) > 20


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["done", "completed"]), st.lists(st.lists(st.sampled_from(DEVIATIONS), max_size=4), min_size=1, max_size=4))
def test_exactly_the_rows_that_the_judge_names_are_found(job_store, local_store, status, rows):
    judged, found = judged_and_found(job_store, local_store, [{**WHOLE, "status": status, **dict(deviations)} for deviations in rows])
    assert found == judged


@pytest.mark.parametrize(
    "columns", [{}, {"status": "completed"}, {"deep_enabled": False, "deep_results": "raw:null", "deep_findings": "raw:null"}]
)
def test_the_filter_in_sql_passes_over_whole_rows(job_store, local_store, columns):
    insert_earlier(job_store.engine, "j1", **{**WHOLE, **columns})
    assert unreadable_done(job_store, local_store).looked_at == 0


def test_only_the_rows_to_look_at_are_opened_by_their_index(job_store, local_store):
    """The conditions of query and index are one: written apart, every document would be unpacked every quarter of an hour."""
    for number in range(3):
        done_job(job_store, f"run-{number}")
    insert_earlier(job_store.engine, "hollow", deep_results={"metrics": {"a": 1}}, quick_results=old_results("quick"))
    asked = []
    event.listen(job_store.engine, "before_cursor_execute", lambda *sent: asked.append(sent[2:4]))
    unreadable_done(job_store, local_store)
    statement, values = next(sent for sent in asked if "UNION" in sent[0])
    with job_store.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN ANALYZE {statement}", values).scalars())
    # All of the condition is in the index, so nothing is left to filter by.
    where = plan.partition("ix_analysis_jobs_to_look_at")[2].partition("->")[0]
    assert "rows=1.00" in where and "Filter" not in where
