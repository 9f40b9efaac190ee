"""Two jobs compared: over HTTP from real rows, and in the terminal."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from cricksy_pipeline.reading.api.comparing import ComparisonRead, NotComparable, read_comparison
from cricksy_pipeline.reading.printing.comparison_table import print_comparison
from cricksy_pipeline.store.keys import Output, output_key
from cricksy_pipeline_tests.reading.api.test_api import JOBS, KEY, RUN, finished, problem, published_quick
from cricksy_pipeline_tests.reading.sample_documents import drive_results

KNEE = "front_knee_brace_score"


@pytest.fixture
def job(job_store, local_store):
    def made() -> str:
        session_id = job_store.create_session(owner_id="c1", title="Tuesday nets")
        return job_store.create_job(session_id, "batting", local_store.bucket, KEY)

    return made


def done(job_store, job_id: str, **knee: float) -> str:
    """A finished job over the sample drive, its knee as given."""
    published_quick(job_store, job_id)
    document = drive_results(job_id)
    metrics = document.metrics.metrics
    changed = document.metrics.model_copy(update={"metrics": {**metrics, KNEE: metrics[KNEE].model_copy(update=knee)}})
    results = document.model_copy(update={"metrics": changed}).model_dump(mode="json")
    job_store.start_deep(job_id, RUN)
    job_store.publish_deep_results(job_id, RUN, results, output_key(KEY, job_id, Output.DEEP_RESULTS))
    job_store.publish_findings(job_id, RUN, results["findings"], results, output_key(KEY, job_id, Output.DEEP_RESULTS))
    keys = [output_key(KEY, job_id, output) for output in (Output.DEEP_RESULTS, Output.REPORT_PDF)]
    job_store.publish_report(job_id, RUN, results["report"], results, *keys)
    job_store.complete(job_id, RUN)
    return job_id


def printed(read: ComparisonRead, width: int = 100) -> str:
    out = io.StringIO()
    print_comparison(read, Console(file=out, width=width))
    return out.getvalue()


def test_two_sessions_are_compared_in_the_order_of_the_request(client, job_store, job):
    then, now = done(job_store, job(), value=80.0), done(job_store, job(), value=120.0)
    answer = client.get(f"{JOBS}/{then}/compare/{now}")
    assert answer.status_code == 200, answer.text
    read = ComparisonRead.model_validate(answer.json())
    knee = next(item for item in read.compared if item.metric == KNEE)
    assert (read.earlier_job, read.later_job) == (then, now) and (knee.change, knee.verdict) == (40.0, "better")
    back = ComparisonRead.model_validate(client.get(f"{JOBS}/{now}/compare/{then}").json())
    assert next(item for item in back.compared if item.metric == KNEE).verdict == "worse"


def test_a_job_against_itself_has_not_changed(client, job_store, job):
    one = done(job_store, job())
    assert {item["verdict"] for item in client.get(f"{JOBS}/{one}/compare/{one}").json()["compared"]} == {"no real change"}


def test_what_is_not_there_is_404_and_what_is_not_finished_is_409(client, job_store, job):
    one, unfinished = done(job_store, job()), job()
    problem(client.get(f"{JOBS}/{one}/compare/nobody-knows-it"), 404)
    problem(client.get(f"{JOBS}/{one}/compare/%00"), 404)
    body = problem(client.get(f"{JOBS}/{one}/compare/{unfinished}"), 409)
    assert unfinished in body["detail"]


def test_a_job_of_another_shape_is_told_to_be_analysed_again(job_store, local_store, job):
    one = done(job_store, job())
    other = job()
    finished(job_store, other)
    from sqlalchemy import text

    with job_store.engine.begin() as connection:
        old = {"metrics": {"metrics": {}, "summary": {}}, "findings": {"findings": []}}
        connection.execute(
            text("UPDATE video_analysis_jobs SET deep_results=cast(:r AS json) WHERE id=:i"), {"r": json.dumps(old), "i": other}
        )
    with pytest.raises(NotComparable, match="analyse it again"):
        read_comparison(job_store, local_store, one, other)


def test_the_terminal_shows_change_interval_verdict_and_what_to_say(job_store, local_store, job):
    then, now = done(job_store, job(), value=120.0), done(job_store, job(), value=80.0)
    text = printed(read_comparison(job_store, local_store, then, now))
    knee = next(line for line in text.splitlines() if line.startswith("Front knee "))
    assert "−40 ± 6°" in knee and "worse" in knee and "3, 3" in knee
    assert "Front knee: Soft landing, firm at the hit." in text
    assert "no real change" in text and "Lead elbow height" in text
    assert max(len(line) for line in printed(read_comparison(job_store, local_store, then, now), 80).splitlines()) <= 80
