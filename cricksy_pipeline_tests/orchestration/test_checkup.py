"""`cricksy doctor`: each prerequisite, there and not there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from cricksy_pipeline.orchestration import checkup
from cricksy_pipeline.orchestration.checkup import LIBRARIES, LOOKS, examine
from cricksy_pipeline.reading.printing.checkup import checkup as as_document
from cricksy_pipeline.reading.schemas import schema_texts
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store import migrate

ROOT = Path(__file__).parents[2]


def looked(settings: Settings, *names: str) -> dict:
    found = {}
    for name in names:
        health, said, to_do = LOOKS[name](settings)
        found[name] = (health, said)
        assert (to_do is None) == (health == "ok")
    return found


@pytest.fixture
def fresh(tmp_path, monkeypatch) -> Settings:
    """A machine on which nothing was made yet."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return Settings(data_dir=tmp_path / "data", model_dir=tmp_path / "models", public_url="http://127.0.0.1:9", dagster_home=None)


def test_on_a_fresh_machine_nothing_is_missing_and_nothing_is_made_by_looking(fresh, tmp_path):
    found = as_document(list(examine(fresh)))

    assert found.ok, found
    assert [each.name for each in found.prerequisites] == list(LOOKS)
    assert {each.name for each in found.prerequisites if each.health == "note"} == {"pose model", "dagster daemon", "api and pages"}
    assert list(tmp_path.iterdir()) == []
    schema = json.loads(schema_texts()["checkup.schema.json"])
    jsonschema.validate(json.loads(found.model_dump_json()), schema, cls=jsonschema.Draft202012Validator)


def test_a_look_that_breaks_is_a_finding_and_not_the_end_of_the_others(fresh, monkeypatch):
    def broken(_):
        raise OSError("the disk is on fire")

    monkeypatch.setitem(LOOKS, "disk", broken)
    found = {each.name: each for each in examine(fresh)}

    assert set(found) == set(LOOKS)
    assert (found["disk"].health, found["disk"].found) == ("missing", "OSError: the disk is on fire")


def test_a_database_that_does_not_answer_is_missing(fresh):
    away = fresh.model_copy(update={"database_url": Settings(database_url="postgresql://x:secret@127.0.0.1:9/none").database_url})

    found = {each.name: each for each in examine(away) if each.name in ("database", "migrations")}

    assert {each.health for each in found.values()} == {"missing"}
    assert not any("secret" in each.found for each in found.values())


def test_the_databases_revision_is_told_and_an_older_one_says_what_to_type(fresh, empty_database):
    with empty_database() as url:
        settings = fresh.model_copy(update={"database_url": Settings(database_url=url).database_url})
        assert looked(settings, "database")["database"][0] == "ok"
        assert LOOKS["migrations"](settings) == ("missing", f"at none; this code needs {migrate.HEAD}", "alembic upgrade head")
        migrate.migrate(url)
        assert looked(settings, "migrations") == {"migrations": ("ok", f"at {migrate.HEAD}")}


def test_a_store_that_cannot_be_written_is_missing(fresh, monkeypatch):
    folder = fresh.folder / "store"
    folder.mkdir(parents=True)
    assert looked(fresh, "object store")["object store"][0] == "ok"
    monkeypatch.setattr(checkup.os, "access", lambda *_: False)  # root may write everywhere
    assert looked(fresh, "object store")["object store"] == ("missing", f"folder {folder} cannot be written")


@pytest.mark.parametrize(("free", "health"), [(50, "ok"), (3, "note"), (0.5, "missing")])
def test_little_space_is_said_and_too_little_is_missing(fresh, monkeypatch, free, health):
    class Usage:
        pass

    Usage.free = free * 1024**3
    monkeypatch.setattr(checkup.shutil, "disk_usage", lambda _: Usage)
    assert looked(fresh, "disk")["disk"][0] == health


def test_a_library_that_cannot_be_loaded_is_named(fresh, monkeypatch):
    monkeypatch.setattr(checkup, "LIBRARIES", ("libc.so.6", "libnosuchthing.so.7"))
    monkeypatch.setattr(checkup.sys, "platform", "linux")
    assert looked(fresh, "system libraries")["system libraries"] == ("missing", "not to be loaded: libnosuchthing.so.7")


def test_the_libraries_are_those_that_the_project_installs():
    script = (ROOT / "deploy" / "system-libraries.sh").read_text()
    assert set(LIBRARIES) == set(re.findall(r"lib[\w.-]+\.so\.\d", script))


def test_a_dagster_home_of_ones_own_needs_a_dagster_yaml(fresh, tmp_path):
    mine = fresh.model_copy(update={"dagster_home": tmp_path})
    assert looked(mine, "dagster home")["dagster home"][0] == "missing"
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert looked(mine, "dagster home")["dagster home"][0] == "ok"


def test_a_damaged_model_does_not_count_as_there(fresh):
    fresh.models.mkdir(parents=True)
    assert looked(fresh, "pose model")["pose model"][0] == "note"
