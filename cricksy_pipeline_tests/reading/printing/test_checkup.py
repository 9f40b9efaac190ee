"""What `cricksy doctor` prints."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cricksy_pipeline.reading.printing.checkup import Checkup, Prerequisite, checkup, print_checkup

WELL = Prerequisite(name="python", health="ok", found="Python 3.11.7", to_do=None)
NOTE = Prerequisite(name="dagster daemon", health="note", found="none has ever run here", to_do="cricksy dev")
GONE = Prerequisite(name="system libraries", health="missing", found="not to be loaded: " + "libGL.so.1, " * 9, to_do="As root: sh it")


def printed(found: Checkup, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    print_checkup(found, console)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 140])
def test_each_prerequisite_has_its_mark_and_below_it_what_to_do(width):
    lines = printed(checkup([WELL, NOTE, GONE]), width).splitlines()

    assert max(map(len, lines)) <= width
    first = [line.split()[0] for line in lines if line and not line.startswith(" ")]
    assert first[:3] == ["ok", "note", "MISSING"]
    assert sum("-> " in line for line in lines) == 2
    assert lines[-1].strip() == "1 of 3 missing. 1 to know."


def test_a_note_alone_does_not_make_it_ill():
    assert checkup([WELL, NOTE]).ok and not checkup([WELL, GONE]).ok
    assert "Nothing is missing. 1 to know." in printed(checkup([WELL, NOTE]), 80)
    assert printed(checkup([WELL]), 80).rstrip().endswith("Nothing is missing.")
