"""Signals that ask a command to stop, as the one exception that Python's own clean-up knows.

Belongs here: turning them into KeyboardInterrupt. Does not belong here: what is cleaned up.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, `kill`, and the terminal's window closed. Unhandled, the last two would end this process and leave its work half said."""


@contextmanager
def stopped_by_signal() -> Iterator[None]:
    """Every signal of `STOP_SIGNALS` is a KeyboardInterrupt within; only a hang-up that `nohup` had us ignore stays ignored."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    before = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS if not (nohup and number == signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
