"""Loading much code: the garbage collector is away only meanwhile."""

from __future__ import annotations

import gc

import pytest

from cricksy_pipeline.loading import without_collecting


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()


def test_the_collector_is_off_within_and_on_again_after_and_leaves_what_was_loaded_alone():
    with without_collecting():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 1000


def test_the_collector_is_on_again_where_loading_failed():
    with pytest.raises(ImportError), without_collecting():
        raise ImportError("no such module")
    assert gc.isenabled()


def test_who_had_it_off_finds_it_off():
    gc.disable()
    try:
        with without_collecting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
