"""`status`, `show`, `open`: what they print, what their JSON holds, how they end."""

from __future__ import annotations

import json
import sys

import jsonschema
import pytest
from typer.testing import CliRunner

from cricksy_pipeline import cli
from cricksy_pipeline.commands import viewing
from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.reading.schemas import schema_texts
from cricksy_pipeline.store.job_names import find_job
from cricksy_pipeline.store.sessions import UnknownJob
from cricksy_pipeline_tests.store.rows import done_job, new_job

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def cricksy(database_url, tmp_path, monkeypatch):
    """The command line over the test's own database, in this process. A known error is raised, as `main` gets it."""
    for name, value in {
        "CRICKSY_DATABASE_URL": database_url,
        "CRICKSY_DATA_DIR": str(tmp_path),
        "CRICKSY_PUBLIC_URL": NOWHERE,
        "COLUMNS": "80",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(viewing, "console", _console())

    def run(*arguments: str):
        result = CliRunner().invoke(cli.app, list(arguments))
        if isinstance(result.exception, CricksyError):
            raise result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def _console():
    from rich.console import Console

    return Console(width=80, force_terminal=False)


def obeys(text: str, schema: str) -> dict:
    document = json.loads(text)
    jsonschema.validate(document, json.loads(schema_texts()[f"{schema}.schema.json"]), cls=jsonschema.Draft202012Validator)
    return document


def test_the_list_has_the_newest_first_and_says_when_there_are_more(cricksy, job_store):
    older, newer = new_job(job_store), done_job(job_store)

    listed = obeys(cricksy("status", "--json").stdout, "status_list")
    assert [(job["id"], job["state"], job["title"]) for job in listed["jobs"]] == [(newer, "done", "Nets"), (older, "waiting", "Nets")]
    assert not listed["more"] and obeys(cricksy("status", "--json", "--limit", "1").stdout, "status_list")["more"]
    lines = cricksy("status").stdout.splitlines()
    assert lines[1].startswith(newer[:10]) and lines[2].startswith(older[:10])


def test_no_job_at_all_is_no_error(cricksy):
    assert "There is no job yet" in cricksy("status").stdout
    assert obeys(cricksy("status", "--json").stdout, "status_list")["jobs"] == []
    with pytest.raises(UnknownJob, match="cricksy demo"):
        cricksy("show")


def test_the_status_of_one_job_is_what_the_api_answers_or_a_page_for_a_person(cricksy, job_store):
    job_id = done_job(job_store)

    assert obeys(cricksy("status", job_id[:8], "--json").stdout, "video_analysis_job_read")["id"] == job_id
    text = cricksy("status", job_id[:8]).stdout
    assert job_id in text and f"cricksy show {job_id[:10]}" in text


def test_show_ends_with_0_1_or_3_as_there_is_something_to_read_it_failed_or_it_is_not_there_yet(cricksy, job_store):
    finished = done_job(job_store)
    waiting, failed = new_job(job_store), new_job(job_store)
    job_store.fail_unclaimed(failed, "NOT_A_VIDEO", "The file is not a video.")

    for job_id, status in ((finished, 0), (failed, 1), (waiting, viewing.NOT_YET)):
        shown = cricksy("show", job_id, "--json")
        assert obeys(shown.stdout, "shown_analysis")["id"] == job_id and shown.exit_code == status
        assert cricksy("show", job_id).exit_code == status
    assert obeys(cricksy("show", failed, "--json").stdout, "shown_analysis")["error"]["advice"]


def test_without_a_job_the_newest_is_shown(cricksy, job_store):
    done_job(job_store)
    newest = done_job(job_store)
    assert obeys(cricksy("show", "--json").stdout, "shown_analysis")["id"] == newest


def test_open_prints_the_address_where_there_is_no_display_and_opens_it_where_there_is(cricksy, job_store, monkeypatch):
    job_id, opened = done_job(job_store), []
    monkeypatch.setattr(viewing, "_open", lambda address: opened.append(address) or True)

    without = cricksy("open", job_id)
    assert without.stdout == f"{NOWHERE}/analyses/{job_id}\n" and opened == [] and "cricksy dev" in without.stderr
    monkeypatch.setattr(viewing, "_has_display", lambda: True)
    assert cricksy("open", job_id).stdout == f"Opened {NOWHERE}/analyses/{job_id}\n" and opened == [f"{NOWHERE}/analyses/{job_id}"]
    assert cricksy("open", job_id, "--print").stdout == f"{NOWHERE}/analyses/{job_id}\n" and len(opened) == 1


def test_open_names_the_reports_file_where_nobody_serves_the_page(cricksy, job_store, tmp_path):
    from cricksy_pipeline.store.keys import Output

    job_id = done_job(job_store)
    key = job_store.get(job_id).shown_key(Output.REPORT_HTML)
    file = tmp_path / "store" / key
    file.parent.mkdir(parents=True)
    file.write_text("<html>")

    places = obeys(cricksy("open", job_id, "--json").stdout, "places")
    assert (places["page_answers"], places["report"]) == (False, file.as_uri())
    assert cricksy("open", job_id).stdout == f"{file.as_uri()}\n"


def test_a_known_error_is_json_too(cricksy, database_url, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cricksy", "show", "nosuchjob", "--json"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert obeys(capsys.readouterr().out, "command_error")["error"] == {
        "code": "SOURCE_MISSING",
        "message": "There is no job nosuchjob.",
        "advice": None,
    }


def test_a_beginning_names_a_job_only_where_it_names_one(job_store):
    job_id = new_job(job_store)
    assert find_job(job_store, job_id[:4]) == find_job(job_store, job_id) == find_job(job_store, None) == job_id
    for given in (job_id[:3], "%", "____", "nosuchjob", ""):
        with pytest.raises(UnknownJob):
            find_job(job_store, given)
    session = job_store.create_session(owner_id="c1", title="Nets")
    with job_store.engine.begin() as connection:
        from cricksy_pipeline.store.claims import JOB

        for name in ("twin-one", "twin-two"):
            connection.execute(JOB.insert().values(id=name, session_id=session))
    with pytest.raises(UnknownJob, match="twin-one, twin-two"):
        find_job(job_store, "twin")
    assert find_job(job_store, "twin-one") == "twin-one"
