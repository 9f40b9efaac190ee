"""Addresses, and what may be written as JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.database import make_engine, normalise_url
from cricksy_pipeline.store.documents import checked, lenient, to_json

SCHEMES = ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg", "POSTGRESQL"]
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
ANYTHING = st.recursive(
    st.none() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.integers(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_spelling_of_postgresql_names_the_installed_driver(scheme):
    rest = "://user:p%40ss@host:5433/db?sslmode=require"
    assert normalise_url(scheme + rest) == "postgresql+psycopg2" + rest
    assert make_engine(scheme + rest).dialect.driver == "psycopg2"


@pytest.mark.parametrize("url", ["sqlite:///x.db", "mysql://user:secret@host/db", "host/db", ""])
def test_an_address_of_something_else_is_refused_without_being_repeated(url):
    with pytest.raises(ValueError) as caught:
        normalise_url(url)
    assert "secret" not in str(caught.value)


@given(st.dictionaries(NAMES, JSON, min_size=1, max_size=4))
def test_a_checked_document_is_what_a_reader_will_parse(document):
    assert json.loads(to_json(checked(document, "d"))) == checked(document, "d")


@given(JSON, st.sampled_from([math.nan, math.inf, -math.inf]))
def test_a_number_that_is_not_finite_is_found_wherever_it_is(around, bad):
    with pytest.raises(CricksyError, match=r"d\.around\[1\]\[0\]\.bad") as caught:
        checked({"around": [around, [{"bad": bad}]]}, "d")
    assert caught.value.code is ErrorCode.GUARDRAIL_FAILED


@pytest.mark.parametrize("value", [np.float32(1), np.int64(1), np.array([1.0]), {1, 2}, b"x", object()])
def test_what_json_does_not_have_is_refused_with_its_place(value):
    with pytest.raises(CricksyError, match=r"d\.list\[0\] is a"):
        checked({"list": [value]}, "d")


def test_keys_must_be_text_and_text_must_be_storable():
    with pytest.raises(CricksyError, match="the key 1"):
        checked({"a": {1: 2}}, "d")
    with pytest.raises(CricksyError, match=r"d\.a holds the NUL"):
        checked({"a": "x\x00"}, "d")


@given(
    st.recursive(
        st.none() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.integers(), inner),
        max_leaves=8,
    )
)
def test_what_a_guardrail_saw_can_always_be_written(value):
    json.loads(to_json(lenient(value)))
