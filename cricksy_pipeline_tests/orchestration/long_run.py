"""A code location whose run would last two minutes, for tests that stop it."""

from __future__ import annotations

import time

import dagster as dg


@dg.op
def wait() -> None:
    time.sleep(120)


@dg.job(executor_def=dg.in_process_executor)
def long() -> None:
    wait()


defs = dg.Definitions(jobs=[long])
