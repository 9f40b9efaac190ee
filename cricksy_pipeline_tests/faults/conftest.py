"""One live system and one clip for the whole suite, and the table that it leaves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cricksy_pipeline.sample.clip import ClipSpec, write_clip
from cricksy_pipeline_tests.faults.fault_table import Told, as_markdown
from cricksy_pipeline_tests.faults.live_stack import LiveStack

TABLE = pytest.StashKey[list[Told]]()


@pytest.fixture(scope="session")
def live() -> Iterator[LiveStack]:
    """The whole system, running."""
    with LiveStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def clip(live) -> Path:
    """One second of a batter: found in every frame, too short to measure anything. The cheapest run there is."""
    # Not pytest's temporary folder: another test session on this machine may clear it away, and this one is long.
    path = live.folder / "glimpse.mp4"
    write_clip(ClipSpec(seconds=1, fps=15, width=320, height=180), path, workers=1)
    return path


@pytest.fixture(scope="session")
def table(pytestconfig) -> list[Told]:
    """Where tests leave what they saw."""
    return pytestconfig.stash.setdefault(TABLE, [])


def pytest_terminal_summary(terminalreporter, config) -> None:
    lines = config.stash.get(TABLE, [])
    if not lines:
        return
    if path := os.environ.get("CRICKSY_FAULT_TABLE"):
        Path(path).write_text(as_markdown(lines))
        terminalreporter.write_line(f"{len(lines)} faults: {path}")
    else:
        terminalreporter.write_line(as_markdown(lines))
