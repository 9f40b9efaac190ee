"""Backfills through a running system, however a person starts them: our command, Dagster's own command, the UI's dialog."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES, BulkActionStatus

from benchmarks.cloned_jobs import clone_job
from cricksy_pipeline.analysis.guardrails import GUARDRAILS
from cricksy_pipeline.analysis.versions import STAGE_VERSIONS
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.sample.clip import ClipSpec, write_clip
from cricksy_pipeline.store.job_read import read_job, unreadable
from cricksy_pipeline.store.submissions import Submission, submit
from cricksy_pipeline_tests.faults.live_stack import LOCATION, LiveStack
from cricksy_pipeline_tests.store.test_selection import change

pytestmark = pytest.mark.slow

WITHIN_S = 300.0

OUR_COMMAND = """
import json
from cricksy_pipeline import stack
from cricksy_pipeline.orchestration.backfill import plan_backfill, select
from cricksy_pipeline.orchestration.backfill_runs import launch_backfill
from cricksy_pipeline.settings import Settings
settings = Settings()
plan = plan_backfill(stack.open_job_store(settings), settings, select(settings, outdated=True))
print("launched", json.dumps(launch_backfill(settings, plan)))
"""


@pytest.fixture(scope="module")
def live() -> Iterator[LiveStack]:
    with LiveStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def instance(live) -> Iterator[dg.DagsterInstance]:
    """Dagster's records, as this process reads them."""
    environment = live.environment()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSTER_HOME", "CRICKSY_DAGSTER_DATABASE_URL"):
            patch.setenv(name, environment[name])
        with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
            yield instance


@pytest.fixture(scope="module")
def finished(live, tmp_path_factory) -> Iterator[str]:
    """An endless supply of finished jobs: one that the running system analysed, and its copies."""
    clip = tmp_path_factory.mktemp("clips") / "glimpse.mp4"
    write_clip(ClipSpec(seconds=1, fps=15, width=320, height=180), clip, workers=1)
    job_id = submit(Submission(clip, "batting", "a glimpse"), live.jobs, live.objects)
    until(lambda: live.jobs.status_of(job_id) == "done", lambda: f"{job_id} is {live.jobs.status_of(job_id)}: {live.log('daemon')}")
    return clone_job(live.jobs, live.objects, job_id, 100)


def test_our_command_analyses_what_is_outdated(live, instance, finished):
    ids = [change(live.jobs, next(finished), analysis_version="of last year") for _ in range(3)]
    before = snapshot(live, ids)

    said = run(live, "-c", OUR_COMMAND)

    (backfill_id,) = json.loads(said.split("launched ")[1])
    all_went_well(live, instance, backfill_id, before)
    assert run(live, "-c", OUR_COMMAND).split() == ["launched", "[]"]


def test_dagsters_own_command_does_the_same(live, instance, finished):
    ids = [next(finished), next(finished)]
    for job_id in ids:
        live.add_partition(job_id)
    before = snapshot(live, ids)

    workspace = str(live.folder / "workspace.yaml")
    said = run(live, "-m", "dagster", "job", "backfill", "-w", workspace, "-j", analysis.name, "--partitions", ",".join(ids), "--noprompt")

    (backfill_id,) = re.findall(r"Launched backfill job `(\w+)`", said)
    # This command makes the runs itself and calls its backfill completed before they begin.
    all_went_well(live, instance, backfill_id, before, ended=BulkActionStatus.COMPLETED)


@pytest.mark.parametrize("of_the_job", [True, False], ids=["job", "assets"])
def test_the_dialogs_of_the_ui_do_the_same(live, instance, finished, of_the_job):
    ids = [next(finished), next(finished)]
    for job_id in ids:
        live.add_partition(job_id)
    before = snapshot(live, ids)
    repository = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}
    if of_the_job:
        target = {"selector": {"repositorySelector": repository, "partitionSetName": f"{analysis.name}_partition_set"}}
    else:
        target = {"assetSelection": [{"path": [name]} for name in STAGE_VERSIONS]}

    launched = live._graphql(
        """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename
             ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
        p={**target, "partitionNames": ids, "title": "by hand"},
    )["launchPartitionBackfill"]

    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    all_went_well(live, instance, launched["backfillId"], before)


def test_the_ui_lists_our_backfill_with_its_title_and_its_partitions(live, instance, finished):
    job_id = change(live.jobs, next(finished), analysis_version="of last year")
    (backfill_id,) = json.loads(run(live, "-c", OUR_COMMAND).split("launched ")[1])

    shown = live._graphql(
        """query($b: String!) { partitionBackfillOrError(backfillId: $b) { __typename
             ... on PartitionBackfill { title partitionNames jobName isValidSerialization tags { key value } } } }""",
        b=backfill_id,
    )["partitionBackfillOrError"]

    assert shown["__typename"] == "PartitionBackfill", shown
    assert (shown["partitionNames"], shown["jobName"], shown["isValidSerialization"]) == ([job_id], analysis.name, True)
    assert shown["title"].endswith("rules only: 1 video")
    until(lambda: instance.get_backfill(backfill_id).status == BulkActionStatus.COMPLETED_SUCCESS, lambda: live.log("daemon"))


def snapshot(live: LiveStack, ids: list[str]) -> dict[str, dict]:
    """By job, who made what."""
    return {job_id: {step: record["run_id"] for step, record in live.jobs.get(job_id).stages.items()} for job_id in ids}


def all_went_well(
    live: LiveStack,
    instance: dg.DagsterInstance,
    backfill_id: str,
    before: dict[str, dict],
    *,
    ended: BulkActionStatus = BulkActionStatus.COMPLETED_SUCCESS,
) -> None:
    """Every job is done again by a run of this backfill, checked under its own partition, and nothing was looked at again."""
    until(
        lambda: all(attempts(live, job_id) == [("done", 2), ("done", 1)] for job_id in before),
        lambda: f"{[(live.jobs.status_of(j), attempts(live, j)) for j in before]}: {live.log('daemon')}",
    )
    until(
        lambda: instance.get_backfill(backfill_id).status in BULK_ACTION_TERMINAL_STATUSES,
        lambda: f"the backfill is {instance.get_backfill(backfill_id).status}",
    )
    assert instance.get_backfill(backfill_id).status == ended
    for job_id, made_by in before.items():
        row = live.jobs.get(job_id)
        assert (row.status, row.attempt) == ("done", 2)
        assert unreadable(read_job(row, live.objects)) == []
        assert {step: record["run_id"] for step, record in row.stages.items()} == made_by
        assert instance.get_run_by_id(row.dagster_run_id).tags["dagster/backfill"] == backfill_id
        for key, record in latest_checks(instance, job_id).items():
            assert record is not None and (record.status.value, record.run_id) == ("SUCCEEDED", row.dagster_run_id), key


def attempts(live: LiveStack, job_id: str) -> list[tuple[str | None, int]]:
    return [(attempt.outcome, attempt.attempt) for attempt in live.jobs.last_attempts(job_id)]


def latest_checks(instance: dg.DagsterInstance, job_id: str) -> dict:
    keys = [dg.AssetCheckKey(dg.AssetKey(asset), guardrail.name) for asset, specs in GUARDRAILS.items() for guardrail in specs]
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys, partition_filter=PartitionKeyFilter(key=job_id))
    return {key: found.get(key) for key in keys}


def run(live: LiveStack, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], env=live.environment(), cwd=live.folder, capture_output=True, text=True, timeout=WITHIN_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def until(true, otherwise) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.5)
