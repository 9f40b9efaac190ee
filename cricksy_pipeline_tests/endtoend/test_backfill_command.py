"""`cricksy backfill` as a person types it: a real process on the embedded stack in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.cloned_jobs import clone_job
from cricksy_pipeline.orchestration.backfill import current_version
from cricksy_pipeline.sample.clip import ClipSpec, write_clip
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.stack import DATABASE_NAME, embedded_url
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.objects import LocalObjectStore
from cricksy_pipeline_tests.store.test_selection import change

COMMAND = "import sys; from cricksy_pipeline.cli import main; sys.argv[0] = 'cricksy'; main()"
CURRENT = current_version(Settings())


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("embedded")


@pytest.fixture(scope="module")
def environment(folder) -> dict[str, str]:
    own = {"CRICKSY_DATA_DIR": str(folder / "data"), "CRICKSY_MODEL_DIR": str(Settings().models), "COLUMNS": "200"}
    return {**{k: v for k, v in os.environ.items() if not k.startswith(("CRICKSY_", "DAGSTER_"))}, **own}


@pytest.fixture(scope="module")
def cricksy(environment):
    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-c", COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=240)

    return run


@pytest.fixture(scope="module")
def jobs(cricksy, folder) -> JobStore:
    """The rows of that stack, with three finished jobs."""
    clip = folder / "glimpse.mp4"
    write_clip(ClipSpec(seconds=1, fps=15, width=320, height=180), clip, workers=1)
    submitted = cricksy("submit", str(clip), "--mode", "batting")
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    jobs = JobStore(make_engine(embedded_url(Settings(data_dir=folder / "data"), DATABASE_NAME)))
    (first,) = jobs.list_jobs()
    assert len(list(clone_job(jobs, LocalObjectStore(folder / "data" / "store"), first.id, 2))) == 2
    return jobs


@pytest.fixture
def outdated(jobs) -> list[str]:
    """All three, analysed by a version of last year."""
    return [change(jobs, job.id, analysis_version="of last year") for job in jobs.list_jobs()]


def versions(jobs: JobStore) -> set[str | None]:
    return {job.analysis_version for job in jobs.list_jobs()}


def test_without_a_condition_it_asks_for_one_and_does_nothing(cricksy, outdated, jobs):
    result = cricksy("backfill", "--yes")
    assert result.returncode == 2 and "--outdated" in result.stderr
    assert versions(jobs) == {"of last year"}


def test_a_dry_run_says_how_many_and_does_nothing(cricksy, outdated, jobs):
    result = cricksy("backfill", "--outdated", "--dry-run")
    assert result.returncode == 0, result.stderr
    assert f"3 videos to analyse by version {CURRENT}" in result.stdout
    assert "3 apply rules to stored landmarks" in result.stdout
    assert versions(jobs) == {"of last year"}
    assert cricksy("backfill", "--mode", "bowling", "--dry-run").stdout.startswith("0 videos")
    assert cricksy("backfill", "--since", "2999-01-01", "--dry-run").stdout.startswith("0 videos")


def test_nothing_begins_unless_a_person_says_so(cricksy, outdated, jobs):
    result = cricksy("backfill", "--outdated", "--here")
    assert result.returncode == 1 and "Begin?" in result.stdout
    assert versions(jobs) == {"of last year"}


def test_here_it_analyses_all_and_says_so(cricksy, outdated, jobs):
    result = cricksy("backfill", "--outdated", "--here", "--yes")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 analysed, 0 failed" in result.stdout and "Traceback" not in result.stdout + result.stderr
    assert versions(jobs) == {CURRENT}
    assert cricksy("backfill", "--outdated", "--here", "--yes").stdout.startswith("0 videos")


def test_without_a_daemon_it_is_launched_and_says_that_nothing_begins(cricksy, outdated, jobs):
    result = cricksy("backfill", "--outdated", "--limit", "2", "--yes")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 videos to analyse" in result.stdout and "Launched: " in result.stdout
    assert "No daemon is running" in result.stdout


def test_ctrl_c_leaves_every_row_telling_the_truth(environment, outdated, jobs):
    running = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "backfill", "--outdated", "--here", "--yes"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while all(job.status == "done" and job.analysis_version != CURRENT for job in jobs.list_jobs()):
        assert running.poll() is None, running.stdout.read()
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=60)

    rows = [jobs.get(job_id) for job_id in outdated]
    assert {row.status for row in rows} == {"done"} and all(row.superseded is None for row in rows)
    assert "Traceback" not in said and (running.returncode == 1) is ("stopped" in said), said
    done = sum(row.analysis_version == CURRENT for row in rows)
    assert f"{done} analysed" in said
