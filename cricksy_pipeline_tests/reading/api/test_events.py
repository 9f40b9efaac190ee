"""Progress as it happens: what a stream says, what it costs, when it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection

import pytest

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.reading.api import events
from cricksy_pipeline.reading.api.events import event_of, event_stream, progress_read
from cricksy_pipeline.reading.api.progress_watch import ProgressWatch
from cricksy_pipeline.store.job_standing import Standing
from cricksy_pipeline_tests.reading.api.test_api import JOBS, KEY, RUN, finished, problem
from cricksy_pipeline_tests.reading.signed_in import bearer

SOON_S = 0.002


def standing(job_id: str, status: str = "quick_running", stage: str = "QUICK", pct: int = 10, **said) -> Standing:
    return Standing(
        **{"id": job_id, "status": status, "stage": stage, "progress_pct": pct, "attempt": 1, "error_code": None, "error_message": None}
        | said
    )


class Table:
    """Stands for the rows: each look gives the next of what was written down; the last for ever. Counts the looks."""

    def __init__(self, *looks: dict[str, Standing] | CricksyError) -> None:
        self.looks, self.asked = list(looks), []

    def __call__(self, job_ids: Collection[str]) -> dict[str, Standing]:
        self.asked.append(sorted(job_ids))
        found = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(found, CricksyError):
            raise found
        return {job_id: found[job_id] for job_id in job_ids if job_id in found}


def parsed(text: str) -> list[tuple[str, dict, str]]:
    """(event, data, id) of each event; comments and retry are none."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"]), fields["id"]))
    return found


def streamed(table: Table, job_id: str = "a", **how) -> str:
    async def read() -> str:
        return "".join([piece async for piece in event_stream(ProgressWatch(table, every_s=SOON_S), job_id, **how)])

    return asyncio.run(asyncio.wait_for(read(), 20))


def test_a_stream_tells_each_state_once_and_ends_with_the_analysis():
    states = [standing("a", pct=10), standing("a", pct=10), standing("a", pct=30), standing("a", "done", "DONE", 100)]
    told = parsed(streamed(Table(*({"a": state} for state in states))))
    assert [(name, data["progress_pct"]) for name, data, _ in told] == [("progress", 10), ("progress", 30), ("finished", 100)]
    assert told[0][1]["message"] == "First look." and told[-1][1]["finished"]


def test_a_failure_is_told_in_the_rows_own_words():
    failed = standing("a", "failed", "FAILED", 40, error_code="POSE_CRASHED", error_message="The pose process died.")
    ((name, data, _),) = parsed(streamed(Table({"a": failed})))
    assert (name, data["message"], data["error_code"], data["retryable"]) == ("finished", "The pose process died.", "POSE_CRASHED", True)


def test_a_job_that_is_deleted_while_it_is_followed_ends_the_stream():
    told = parsed(streamed(Table({"a": standing("a")}, {})))
    assert [(name, data["status"]) for name, data, _ in told] == [("progress", "quick_running"), ("finished", "deleted")]


def test_a_database_that_is_away_for_a_while_ends_no_stream():
    away = CricksyError(ErrorCode.DATABASE_UNAVAILABLE, "away")
    told = parsed(streamed(Table({"a": standing("a")}, away, away, {"a": standing("a", "done", "DONE", 100)})))
    assert [name for name, *_ in told] == ["progress", "finished"]


def test_where_nothing_changes_for_long_comments_keep_the_connection_and_then_it_is_asked_for_anew():
    text = streamed(Table({"a": standing("a")}), heartbeat_s=0.0, longest_s=0.05)
    assert len(parsed(text)) == 1 and text.count(": still here") > 1 and text.startswith("retry: ")


def test_all_who_follow_share_one_look():
    async def follow_all(table: Table) -> None:
        watch = ProgressWatch(table, every_s=SOON_S)

        async def follow(job_id: str) -> None:
            async for piece in event_stream(watch, job_id):
                assert piece

        await asyncio.wait_for(asyncio.gather(*(follow(job_id) for job_id in ["a", "b"] * 20)), 20)
        assert not watch._followed

    running = {job_id: standing(job_id) for job_id in "ab"}
    done = {job_id: standing(job_id, "done", "DONE", 100) for job_id in "ab"}
    table = Table(*[running] * 45, done)
    asyncio.run(follow_all(table))
    shared = [asked for asked in table.asked if len(asked) == 2]
    assert len(shared) == len(table.asked) - 40 and 1 <= len(shared) <= 10


def test_nobody_follows_nothing_is_asked():
    async def follow_for_a_moment(table: Table) -> int:
        watch = ProgressWatch(table, every_s=SOON_S)
        stream = event_stream(watch, "a")
        assert await anext(stream) and await anext(stream)
        await stream.aclose()
        await asyncio.sleep(5 * SOON_S)
        asked = len(table.asked)
        await asyncio.sleep(10 * SOON_S)
        return len(table.asked) - asked

    assert asyncio.run(follow_for_a_moment(Table({"a": standing("a")}))) == 0


@pytest.fixture
def job(job_store, local_store):
    return job_store.create_job(job_store.create_session(owner_id="c1", title="t"), "batting", local_store.bucket, KEY)


def test_a_finished_job_is_told_at_once_and_who_heard_it_need_not_come_again(client, job_store, job):
    finished(job_store, job)
    answer = client.get(f"{JOBS}/{job}/events")
    ((name, data, event_id),) = parsed(answer.text)
    assert answer.headers["content-type"].startswith("text/event-stream") and answer.headers["cache-control"] == "no-store"
    assert (name, data["id"], data["status"], data["progress_pct"]) == ("finished", job, "done", 100)
    assert client.get(f"{JOBS}/{job}/events", headers={"Last-Event-ID": event_id}).status_code == 204
    assert len(parsed(client.get(f"{JOBS}/{job}/events", headers={"Last-Event-ID": "of another time"}).text)) == 1


def test_a_stream_follows_the_row(client, job_store, job, monkeypatch):
    monkeypatch.setattr(events, "LONGEST_S", 30.0)
    job_store.claim(job, RUN)
    pieces = []
    with client.stream("GET", f"{JOBS}/{job}/events") as answer:
        assert answer.status_code == 200
        job_store.fail(job, RUN, "VIDEO_CORRUPT", "Damaged.")
        pieces.extend(answer.iter_text())
    told = parsed("".join(pieces))
    assert told[-1][0] == "finished" and told[-1][1]["error_code"] == "VIDEO_CORRUPT"


def test_another_coachs_progress_is_not_there(client, job):
    problem(client.get(f"{JOBS}/{job}/events", headers=bearer("c2")), 404)


def test_the_same_state_has_the_same_id_and_another_another():
    one, same, other = (event_of(progress_read("a", standing("a", pct=pct)))[0] for pct in (1, 1, 2))
    assert one == same != other


def test_a_fault_in_one_look_leaves_nobody_waiting_for_ever():
    table = Table({"a": standing("a")}, {"a": standing("a", pct=20)}, {"a": standing("a", "done", "DONE", 100)})
    looks = iter(range(9))

    def look(job_ids: Collection[str]) -> dict[str, Standing]:
        if next(looks) == 1:
            raise ValueError("nobody thought of this")
        return table(job_ids)

    assert [name for name, _, _ in parsed(streamed(look))][-1] == "finished"
