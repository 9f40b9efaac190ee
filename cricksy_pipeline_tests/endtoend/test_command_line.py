"""The commands as a person types them: real processes, the embedded stack in a folder of their own, the API over HTTP."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from cricksy_pipeline.sample.clip import ClipSpec, write_clip
from cricksy_pipeline.sample.pattern import write_pattern_clip
from cricksy_pipeline.settings import Settings

COMMAND = "import sys; from cricksy_pipeline.cli import main; sys.argv[0] = 'cricksy'; main()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("embedded")


@pytest.fixture(scope="module")
def environment(folder) -> dict[str, str]:
    own = {"CRICKSY_DATA_DIR": str(folder / "data"), "CRICKSY_MODEL_DIR": str(Settings().models), "COLUMNS": "100"}
    return {**{k: v for k, v in os.environ.items() if not k.startswith(("CRICKSY_", "DAGSTER_"))}, **own}


@pytest.fixture(scope="module")
def cricksy(environment):
    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", COMMAND, *arguments]
        return subprocess.run(command, env={**environment, **variables}, capture_output=True, text=True, timeout=240)

    return run


@pytest.fixture(scope="module")
def submitted(cricksy, folder) -> tuple[str, subprocess.CompletedProcess]:
    clip = folder / "glimpse.mp4"
    write_clip(ClipSpec(seconds=1, fps=15, width=320, height=180), clip, workers=1)
    result = cricksy("submit", str(clip), "--mode", "batting")
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.split("job ")[1].split()[0], result


def test_submit_analyses_prints_what_was_found_and_names_a_report_that_is_there(submitted):
    job_id, result = submitted

    assert "Traceback" not in result.stdout + result.stderr
    path = "".join(result.stdout.split("Report:")[1].split())
    assert job_id in path and path.endswith("report.html")
    assert Path(path).read_text().startswith("<!doctype html>") or "<html" in Path(path).read_text()


def test_two_sessions_without_a_ball_are_not_compared_and_say_so(cricksy, submitted):
    job_id, _ = submitted

    result = cricksy("compare", job_id, job_id)
    assert result.returncode == 0 and "cannot be compared" in result.stdout, result.stdout + result.stderr
    assert json.loads(cricksy("compare", job_id, job_id, "--json").stdout)["refused_code"] == "NO_RESULTS"
    assert cricksy("compare", job_id, "nobody-knows-it").returncode == 1


def test_status_says_what_the_api_would_answer(cricksy, submitted):
    job_id, _ = submitted

    answer = json.loads(cricksy("status", job_id, "--json").stdout)

    assert (answer["id"], answer["status"], answer["stage"], answer["progress_pct"]) == (job_id, "done", "DONE", 100)
    assert answer["missing_artifacts"] == [] and answer["deep_findings"] and answer["deep_report"]


def test_a_job_is_shown_by_the_beginning_of_its_id(cricksy, submitted):
    job_id, _ = submitted

    shown = cricksy("show", job_id[:8])
    assert shown.returncode == 0 and job_id in shown.stdout and "Report:" in shown.stdout, shown.stdout + shown.stderr


def test_the_doctor_finds_nothing_missing_where_an_analysis_has_just_run(cricksy, submitted):
    found = cricksy("doctor", "--json", CRICKSY_PUBLIC_URL="http://127.0.0.1:9")

    health = {each["name"]: each["health"] for each in json.loads(found.stdout)["prerequisites"]}
    assert found.returncode == 0, found.stdout + found.stderr
    assert health == {**dict.fromkeys(health, "ok"), "dagster daemon": "note", "api and pages": "note"}


def test_the_api_serves_the_row_and_the_page(cricksy, submitted, environment):
    job_id, _ = submitted
    expected = json.loads(cricksy("status", job_id, "--json").stdout)

    with serving(environment) as address:
        row = json.loads(get(f"{address}/api/coaches/plus/analysis-jobs/{job_id}"))
        page = get(f"{address}/api/coaches/plus/analysis-jobs/{job_id}/report.html").decode()

    assert row["deep_findings"] == expected["deep_findings"]
    assert row["status"] == "done" and "<html" in page


def test_a_bad_file_is_one_clear_message_and_exit_status_one(cricksy, folder):
    letter = folder / "letter.mp4"
    letter.write_text("Dear coach")

    result = cricksy("submit", str(letter), "--mode", "bowling")

    assert result.returncode == 1
    assert "NOT_A_VIDEO" in result.stdout and "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--mode", "juggling"), "MODE_UNSUPPORTED"),
        (("--mode", ""), "MODE_MISSING"),
        (("--mode", "batting", "--subject", "9"), "OPTIONS_INVALID"),
        (("--mode", "batting", "--slow-motion", "0.5"), "OPTIONS_INVALID"),
    ],
)
def test_what_is_missing_or_cannot_be_meant_is_refused_before_anything_is_stored(cricksy, folder, arguments, code):
    stored = sorted((folder / "data" / "store").rglob("*"))

    result = cricksy("submit", str(folder / "glimpse.mp4"), *arguments)

    assert result.returncode == 1 and code in result.stdout
    assert sorted((folder / "data" / "store").rglob("*")) == stored


def test_an_unknown_job_is_said_in_one_line(cricksy):
    result = cricksy("status", "nosuchjob")

    assert result.returncode == 1
    assert "There is no job nosuchjob." in result.stdout and "Traceback" not in result.stderr


def test_a_person_at_a_terminal_sees_the_bar_move(environment, folder):
    video = folder / "minute.mp4"
    write_pattern_clip(video, [i / 10 for i in range(600)], size=(320, 240))
    screen, keyboard = pty.openpty()
    command = [sys.executable, "-c", COMMAND, "submit", str(video), "--mode", "fielding"]
    with subprocess.Popen(command, env={**environment, "TERM": "xterm"}, stdin=keyboard, stdout=keyboard, stderr=keyboard) as process:
        os.close(keyboard)
        seen = everything_on(screen)
        assert process.wait(60) == 0, seen

    percents = {int(number) for number in re.findall(r"(\d+)%", seen)}
    assert len(percents - {0, 100}) >= 2, percents
    assert "Traceback" not in seen


def everything_on(screen: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(screen, 65536)
        except OSError:  # Linux: the last process at this terminal is gone
            break
        if not part:
            break
        parts.append(part)
    os.close(screen)
    return b"".join(parts).decode(errors="replace")


class serving:
    """The API in a process of its own, on a free port of the loopback."""

    def __init__(self, environment: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "--factory",
            "cricksy_pipeline.serve_api:app",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self) -> str:
        deadline = time.monotonic() + 60
        while True:
            try:
                get(f"{self.address}/healthz")
                return self.address
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.__exit__()
                    raise
                time.sleep(0.2)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)


def get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read()


def test_a_failed_job_is_tried_again_and_a_done_one_is_not(cricksy, folder, submitted):
    failed = cricksy("submit", str(folder / "glimpse.mp4"), "--mode", "batting", CRICKSY_MAX_VIDEO_SECONDS="0.5")
    assert failed.returncode == 1 and "VIDEO_TOO_LONG" in failed.stdout
    job_id = failed.stdout.split("job ")[1].split()[0]

    again = cricksy("retry", job_id)

    assert again.returncode == 0 and "Batting analysis, done" in again.stdout, again.stdout + again.stderr
    assert json.loads(cricksy("status", job_id, "--json").stdout)["attempt"] == 2
    done = cricksy("retry", submitted[0])
    assert done.returncode == 1 and "this one is done" in done.stdout
    assert "Traceback" not in cricksy("retry", "nosuchjob").stderr


def test_the_operators_commands_say_what_they_would_do(cricksy, submitted):
    chores = cricksy("housekeeping", "--dry-run")
    assert chores.returncode == 0 and "forget_partitions: 0 to do" in chores.stdout, chores.stdout + chores.stderr
    assert cricksy("housekeeping", "sweeping").returncode == 2
    history = cricksy("rehydrate", "--dry-run")
    assert history.returncode == 0 and "rows looked at" in history.stdout, history.stdout + history.stderr


def test_a_deleted_session_leaves_nothing(cricksy, folder, environment):
    made = cricksy("submit", str(folder / "glimpse.mp4"), "--mode", "batting", "--quick-only")
    job_id = made.stdout.split("job ")[1].split()[0]
    job = json.loads(cricksy("status", job_id, "--json").stdout)
    store = Path(environment["CRICKSY_DATA_DIR"]) / "store"
    assert [path for path in store.rglob("*") if path.is_file() and job["session_id"] in str(path)]

    deleted = cricksy("delete-session", job["session_id"])

    assert deleted.returncode == 0 and "Deleted 1 jobs" in deleted.stdout, deleted.stdout + deleted.stderr
    assert not [path for path in store.rglob("*") if path.is_file() and job["session_id"] in str(path)]
    assert cricksy("status", job_id).returncode == 1
    assert cricksy("delete-session", job["session_id"]).returncode == 1
