"""The committed JSON Schemas are those of the models, and the documents obey them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from cricksy_pipeline.reading.schemas import schema_texts, write_schemas
from cricksy_pipeline_tests.reading.sample_documents import drive_results, nobody_results

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.mark.parametrize("name", sorted(schema_texts()))
def test_the_committed_schema_is_current(name):
    committed = FOLDER / name
    assert committed.read_text(encoding="utf-8") == schema_texts()[name], "run: python -m cricksy_pipeline.reading.schemas docs/schemas"


def test_no_schema_is_left_of_a_model_that_is_gone():
    assert {path.name for path in FOLDER.glob("*.json")} == set(schema_texts())


@pytest.mark.parametrize("results", [drive_results(), nobody_results()], ids=["drive", "nobody"])
def test_documents_obey_the_published_schema(results):
    document = results.model_dump(mode="json")
    for name, part in (
        ("results", document),
        ("metrics", document["metrics"]),
        ("findings", document["findings"]),
        ("report", document["report"]),
    ):
        schema = json.loads(schema_texts()[f"{name}.schema.json"])
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(part, schema, cls=jsonschema.Draft202012Validator)


def test_the_schema_says_in_which_direction_each_scale_runs():
    finding = json.loads(schema_texts()["findings.schema.json"])["$defs"]["Finding"]["properties"]
    assert "high is good" in finding["level"]["description"] and "high is bad" in finding["severity"]["description"]


def test_a_document_that_lacks_a_field_is_refused_by_the_schema():
    document = drive_results().model_dump(mode="json")["findings"]
    del document["findings"][0]["severity"]
    with pytest.raises(jsonschema.ValidationError, match="severity"):
        jsonschema.validate(document, json.loads(schema_texts()["findings.schema.json"]))


def test_schemas_are_written_where_asked(tmp_path):
    written = write_schemas(tmp_path / "new" / "schemas")
    assert {path.name: path.read_text(encoding="utf-8") for path in written} == schema_texts()
