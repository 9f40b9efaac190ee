"""Every failure reaches the row: a real daemon, real processes, real deaths.

After each fault the row tells the truth within two minutes, nothing is `done` that is not, and a retry succeeds. That bound is the
product's promise, and so the one place where a test measures time. What a fault is and what must follow stands in `scenarios` and
`disasters`; the time is that of the database, between the fault and the change of the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from cricksy_pipeline_tests.faults.disasters import ONE_BY_ONE, Disaster
from cricksy_pipeline_tests.faults.scenarios import SIDE_BY_SIDE, Scenario
from cricksy_pipeline_tests.faults.watched_job import TRUTH_WITHIN_S

pytestmark = pytest.mark.slow

AT_ONCE = 6


@pytest.fixture(scope="module")
def played(request, live, clip) -> Iterator[dict[str, Future]]:
    """Every scenario that was asked for, several at a time: most of each is waiting for a sensor."""
    wanted = [item.callspec.params["scenario"] for item in request.session.items if "played" in item.fixturenames]
    pool = ThreadPoolExecutor(AT_ONCE)
    futures = {scenario.name: pool.submit(scenario.run, live, clip) for scenario in wanted}
    yield futures
    live.closing = not all(future.done() for future in futures.values())  # the session was broken off: nobody need wait any longer
    pool.shutdown(cancel_futures=True)
    live.closing = False


@pytest.mark.parametrize("scenario", SIDE_BY_SIDE, ids=str)
def test_the_row_tells_the_truth_about(scenario: Scenario, played, table):
    told = played[scenario.name].result()

    table.append(told)
    assert told.after_s < TRUTH_WITHIN_S


@pytest.mark.parametrize("disaster", ONE_BY_ONE, ids=str)
def test_every_row_tells_the_truth_after(disaster: Disaster, live, clip, table):
    told = disaster.run(live, clip)

    table.extend(told)
    assert told
    assert all(line.after_s < TRUTH_WITHIN_S for line in told)
