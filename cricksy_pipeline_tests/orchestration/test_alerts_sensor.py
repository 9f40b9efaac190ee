"""The sensor `alerts` over a real history of attempts: who is told, what is remembered, what happens when a channel is broken."""

from __future__ import annotations

import json
import sys

import dagster as dg
import pytest
from dagster._utils.error import serializable_error_info_from_exc_info
from pydantic import SecretStr

from cricksy_pipeline.alerting.alert import Alert, AlertNotSent, Severity
from cricksy_pipeline.alerting.channels import open_notifier
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration.sensors.alerts import OWNER_BY_STAGE, OWNERS, alerts
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline_tests.alerting import web_server
from cricksy_pipeline_tests.alerting.attempts import attempt
from cricksy_pipeline_tests.alerting.web_server import Webhook
from cricksy_pipeline_tests.store.rows import lose_session

DATA, COACHING = "team:data-engineering", "team:coaching-science"


class Letterbox:
    """A channel that keeps what it is given, and refuses whoever is on strike."""

    def __init__(self) -> None:
        self.taken: list[Alert] = []
        self.refused: set[str] = set()

    def send(self, alert: Alert) -> None:
        if alert.owner in self.refused:
            raise AlertNotSent(alert, "the channel is broken")
        self.taken.append(alert)

    def said(self) -> list[tuple[str, str]]:
        """Owner and title of what came since the last call."""
        said, self.taken = [(alert.owner, alert.title) for alert in self.taken], []
        return said


class Watch:
    """The sensor, tick by tick, with the cursor that Dagster keeps: a tick that raises leaves it where it was."""

    def __init__(self, jobs: JobStore, notifier, instance: dg.DagsterInstance, **settings) -> None:
        self.resources = {"jobs": jobs, "notifier": notifier, "settings": Settings(**settings)}
        self.instance, self.cursor, self.skipped = instance, None, ""

    def tick(self) -> None:
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor, resources=self.resources)
        data = alerts.evaluate_tick(context)
        assert not data.run_requests
        self.cursor, self.skipped = data.cursor, data.skip_message


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


@pytest.fixture
def watch(job_store, box, dagster_instance) -> Watch:
    return Watch(job_store, box, dagster_instance)


class Course:
    """Attempts, one a minute."""

    def __init__(self, jobs: JobStore) -> None:
        self.jobs, self.minute = jobs, 0

    def fails(self, times: int = 1, stage: str = "deep_results", code: str = "POSE_CRASHED") -> str:
        for _ in range(times):
            self.minute += 1
            job_id = attempt(self.jobs, self.minute, "failed", stage, code, message="It died.")
        return job_id

    def succeeds(self) -> None:
        self.minute += 1
        attempt(self.jobs, self.minute, "done")


@pytest.fixture
def course(job_store) -> Course:
    return Course(job_store)


def failing(number: int, owner: str = DATA, code: str = "POSE_CRASHED") -> tuple[str, str]:
    return owner, f"{number} failures in a row ({code})"


def recovered(owner: str = DATA) -> tuple[str, str]:
    return owner, "analyses succeed again"


def test_the_sensor_runs_by_itself_and_starts_nothing():
    assert alerts.default_status is dg.DefaultSensorStatus.RUNNING
    assert alerts.minimum_interval_seconds == 30
    assert not alerts.targets
    assert OWNER_BY_STAGE["findings"] == OWNER_BY_STAGE["report"] == COACHING
    assert set(OWNERS) == {DATA, COACHING}


def test_an_owner_is_told_at_the_threshold_at_each_doubling_and_when_it_is_over(watch, course, box):
    told = {}
    for number in range(1, 14):
        course.fails()
        watch.tick()
        told[number] = box.said()
    assert {number: said for number, said in told.items() if said} == {number: [failing(number)] for number in (3, 6, 12)}
    course.succeeds()
    watch.tick()
    watch.tick()
    assert box.said() == [recovered()]


def test_a_look_that_comes_late_tells_once_of_all_that_happened(watch, course, box):
    course.fails(13)
    watch.tick()
    watch.tick()
    assert box.said() == [failing(13)]
    course.fails(10)
    watch.tick()
    assert box.said() == []
    course.fails()
    watch.tick()
    assert box.said() == [failing(24)]


def test_a_success_that_no_look_saw_still_ends_the_streak_and_the_next_one_is_told(watch, course, box):
    course.fails(3)
    watch.tick()
    course.succeeds()
    course.fails(4)
    watch.tick()
    watch.tick()
    watch.tick()
    assert box.said() == [failing(3), recovered(), failing(4)]


def test_nobody_hears_of_a_recovery_who_was_not_told_of_a_failure(watch, course, box):
    course.fails(2)
    watch.tick()
    course.succeeds()
    watch.tick()
    assert box.said() == []


def test_each_owner_hears_of_his_own_stages_only(watch, course, box):
    course.fails(3, "findings guardrails", "GUARDRAIL_FAILED")
    course.fails(2, "frames")
    watch.tick()
    assert box.said() == [failing(3, COACHING, "GUARDRAIL_FAILED")]
    course.fails(1, "completed_analysis")
    watch.tick()
    assert box.said() == [failing(3)]


def test_a_coachs_text_files_wake_nobody(watch, course, box):
    course.fails(20, "frames", "NOT_A_VIDEO")
    watch.tick()
    assert box.said() == []


def test_the_alert_leads_to_the_job(job_store, box, dagster_instance, course):
    watch = Watch(job_store, box, dagster_instance, public_url="https://cricksy.test")
    job_id = course.fails(3)
    watch.tick()
    [alert] = box.taken
    assert [link.url for link in alert.links] == [f"https://cricksy.test/api/coaches/plus/analysis-jobs/{job_id}"]
    assert alert.severity is Severity.FAILING


def test_the_threshold_is_a_setting(job_store, box, dagster_instance, course):
    watch = Watch(job_store, box, dagster_instance, alert_after=1)
    course.fails()
    watch.tick()
    assert box.said() == [failing(1)]


def test_an_alert_that_cannot_be_sent_fails_the_tick_and_is_sent_by_a_later_one(watch, course, box):
    course.fails(3)
    box.refused = {DATA}
    for _ in range(2):
        with pytest.raises(AlertNotSent, match="the channel is broken"):
            watch.tick()
    assert watch.cursor is None
    box.refused = set()
    watch.tick()
    watch.tick()
    assert box.said() == [failing(3)]


def test_a_recovery_that_cannot_be_sent_is_sent_by_a_later_tick(watch, course, box):
    course.fails(3)
    watch.tick()
    course.succeeds()
    before, box.refused = watch.cursor, {DATA}
    with pytest.raises(AlertNotSent):
        watch.tick()
    assert watch.cursor == before
    course.succeeds()
    box.refused = set()
    watch.tick()
    assert box.said() == [failing(3), recovered()]


def test_one_owners_broken_channel_neither_hides_nor_repeats_anothers_alert(watch, course, box):
    course.fails(3, "report")
    course.fails(3, "frames")
    box.refused = {COACHING}
    watch.tick()
    assert "the channel is broken" in watch.skipped
    for _ in range(2):
        with pytest.raises(AlertNotSent):
            watch.tick()
    assert box.said() == [failing(3)]
    box.refused = set()
    watch.tick()
    assert box.said() == [failing(3, COACHING)]


@pytest.mark.parametrize("cursor", ["", "garbage", "[]", '{"told": 5}', '{"success_at": "yesterday"}'])
def test_a_garbage_cursor_does_not_stop_the_watch(watch, course, box, cursor):
    course.fails(3)
    watch.cursor = cursor
    watch.tick()
    watch.tick()
    assert box.said() == [failing(3)]


def test_a_deleted_success_does_not_bring_old_failures_back(watch, course, box, job_store):
    course.fails(2)
    course.minute += 1
    done = attempt(job_store, course.minute, "done")
    watch.tick()
    lose_session(job_store, job_store.get(done).session_id)
    course.fails(2)
    watch.tick()
    assert box.said() == []


def test_the_cursor_stays_small(watch, course):
    course.fails(3, "report")
    course.fails(200, "frames")
    watch.tick()
    assert set(json.loads(watch.cursor)["told"]) == set(OWNERS)
    assert len(watch.cursor) < 400


def test_the_tick_says_where_everyone_stands(watch, course):
    watch.tick()
    assert watch.skipped == "no failure since the last success"
    course.fails(2)
    watch.tick()
    assert watch.skipped == f"{DATA}: 2 in a row"
    course.fails(1)
    watch.tick()
    assert watch.skipped == f"sent Cricksy failing: 3 failures in a row (POSE_CRASHED), for {DATA}; {DATA}: 3 in a row"


def test_a_database_that_is_away_fails_the_tick(box, dagster_instance):
    away = JobStore(make_engine("postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(CricksyError) as caught:
        Watch(away, box, dagster_instance).tick()
    assert caught.value.code is ErrorCode.DATABASE_UNAVAILABLE


def test_from_a_failing_run_to_a_post_in_slack(job_store, dagster_instance, monkeypatch):
    """The run protocol writes the history, the sensor reads it, a real web server gets it."""
    from cricksy_pipeline_tests.store.rows import done_job, new_job

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with web_server.serving(Webhook()) as hook:
        routes = SecretStr(json.dumps({"default": hook.address}))
        watch = Watch(job_store, open_notifier("slack", owners=OWNERS, routes=routes), dagster_instance)
        job_id = new_job(job_store)
        for number in range(1, 4):
            job_store.claim(job_id, f"run-{number}")
            job_store.fail(job_id, f"run-{number}", ErrorCode.GUARDRAIL_FAILED, "findings.evidence: No.", "findings")
            watch.tick()
        done_job(job_store)
        watch.tick()
    first, second = (document["text"] for _, _, document in hook.requests)
    assert first.startswith(f":red_circle: *Cricksy failing: 3 failures in a row (GUARDRAIL_FAILED), for {COACHING}*\n")
    assert "on one job" in first and "findings.evidence: No." in first and job_id in first
    assert second.startswith(f":large_green_circle: *Cricksy recovered: analyses succeed again, for {COACHING}*\n")


def test_what_dagster_keeps_of_a_failed_tick_does_not_hold_the_webhooks_address(job_store, dagster_instance, course, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    course.fails(3)
    with web_server.serving(Webhook(410, "<p>gone: /services/T000/B000/SeCrEtTaIl</p>")) as hook:
        routes = SecretStr(json.dumps({"default": hook.address}))
        watch = Watch(job_store, open_notifier("slack", owners=OWNERS, routes=routes), dagster_instance)
        try:
            watch.tick()
        except AlertNotSent:
            kept = serializable_error_info_from_exc_info(sys.exc_info()).to_string()
    assert "Slack answered 410" in kept
    assert "SeCrEtTaIl" not in kept and len(hook.requests) == 1
