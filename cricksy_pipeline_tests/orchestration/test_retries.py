"""Which errors are tried again inside a run, how often, and what the row says meanwhile."""

from __future__ import annotations

from importlib import import_module

import pytest

from cricksy_pipeline.errors import CODE_FACTS, CricksyError, ErrorCode
from cricksy_pipeline.orchestration import stage as stage_module
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.objects import LocalObjectStore


class FlakyObjects(LocalObjectStore):
    """A folder that is away for the first so many calls of a kind on one output."""

    def __init__(self, store: LocalObjectStore, call: str, output: Output, absences: int) -> None:
        super().__init__(store.root)
        self.left, self.calls = absences, 0
        self.statuses: list[str] = []
        plain = getattr(super(), call)

        def flaky(key, *args, **kwargs):
            if key.endswith(f"/{output}"):
                self.calls += 1
                self.statuses.append(self.status())
                if self.left > 0:
                    self.left -= 1
                    raise CricksyError(ErrorCode.STORE_UNAVAILABLE, "the store is away")
            return plain(key, *args, **kwargs)

        setattr(self, call, flaky)
        self.status = lambda: ""


def tries(code: ErrorCode) -> int:
    return len(stage_module.AGAIN_AFTER_S[code]) + 1


@pytest.mark.parametrize(
    "call, output",
    [("put", Output.FRAMES), ("put", Output.DEEP_RESULTS), ("get", Output.FINDINGS)],
    ids=["first asset", "later asset", "check"],
)
def test_a_store_that_comes_back_costs_a_run_nothing_but_time(pipeline_with, local_store, glimpse, call, output):
    objects = FlakyObjects(local_store, call, output, absences=2)
    pipeline = pipeline_with(objects=objects)
    job_id = pipeline.submit(glimpse)
    objects.status = lambda: pipeline.jobs.status_of(job_id)

    result = pipeline.run(job_id)

    row = pipeline.jobs.get(job_id)
    assert result.success and (row.status, row.attempt) == ("done", 1)
    assert "failed" not in objects.statuses, "a run that tries again is running"
    assert "try 2 of" in pipeline.log(result)


def test_a_store_that_stays_away_fails_the_row_after_so_many_tries(pipeline_with, local_store, glimpse):
    objects = FlakyObjects(local_store, "put", Output.FRAMES, absences=99)
    pipeline = pipeline_with(objects=objects)

    row, result = pipeline.analyse(glimpse)

    assert not result.success
    assert (row.status, row.error_code, row.failed_stage, row.attempt) == ("failed", "STORE_UNAVAILABLE", "frames", 1)
    assert objects.calls == tries(ErrorCode.STORE_UNAVAILABLE)


@pytest.mark.parametrize("code, tried", [(ErrorCode.POSE_CRASHED, 2), (ErrorCode.VIDEO_CORRUPT, 1), (ErrorCode.GUARDRAIL_FAILED, 1)])
def test_only_errors_that_may_pass_are_tried_again(pipeline, glimpse, monkeypatch, code, tried):
    looks = []

    def see(*_):
        looks.append(code)
        raise CricksyError(code, "as the test says")

    monkeypatch.setattr(import_module("cricksy_pipeline.orchestration.assets.quick_results"), "see_quickly", see)

    row, result = pipeline.analyse(glimpse)

    assert not result.success
    assert (row.status, row.error_code, len(looks)) == ("failed", code, tried)


def test_no_permanent_error_is_ever_tried_again():
    assert all(CODE_FACTS[code].transient for code in stage_module.AGAIN_AFTER_S)
