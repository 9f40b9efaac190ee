"""The committed description of the API is that of its routes, and its examples are documents that the models accept."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from cricksy_pipeline.reading.api.openapi import examples, openapi_text

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def description() -> dict:
    return json.loads(openapi_text())


def test_the_committed_description_is_current(description):
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == description, "run: make docs"


def test_every_example_is_what_its_model_says(description):
    for model, named in examples().items():
        schema = {"$ref": f"#/components/schemas/{model}", "components": description["components"]}
        for name, value in named.items():
            errors = [f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(value)]
            assert not errors, (model, name, errors)


def test_every_model_that_is_taken_or_given_whole_has_an_example(description):
    without = set()
    for operations in description["paths"].values():
        for operation in operations.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for media in (media for body in bodies for kind, media in body.get("content", {}).items() if kind == "application/json"):
                model = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
                if model and "examples" not in media:
                    without.add(model)
    assert without <= {"ComparisonRead"}


def test_every_job_state_that_a_frontend_must_show_is_among_the_examples():
    named = examples()["VideoAnalysisJobRead"]
    assert {"queued", "quick_done", "done", "failed"} <= set(named)
    assert all(value["status"] == name for name, value in named.items())
    assert named["done"]["deep_findings"]["findings"] and named["done"]["missing_artifacts"] == []


def test_every_operation_says_what_it_does_and_answers_errors_as_problems(description):
    ids = []
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            ids.append(operation["operationId"])
            assert operation.get("description"), (method, path)
            assert operation.get("tags"), (method, path)
            for status, answer in operation["responses"].items():
                if status >= "4" and path.startswith("/api/"):
                    assert set(answer["content"]) == {"application/problem+json"}, (method, path, status)
    assert len(ids) == len(set(ids))
