"""Loading much code at once.

Belongs here: what makes it cheap, or lets nobody wait for it. Does not belong here: what is loaded.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def without_collecting() -> Iterator[None]:
    """Import within: the garbage collector stays off, and never looks through what is loaded by then.

    Modules are half a million objects and hardly any garbage; Python would look through them again and again while they are made, which was
    a quarter of what loading the code location costs, and once more when the process ends, for another second of CPU.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        atexit.register(gc.freeze)  # what has come since then is set aside, too, before the interpreter's last look
        if was_on:
            gc.enable()


def load_ahead(*modules: str) -> None:
    """Import modules beside what the caller does; returns at once. Where one cannot be imported, whoever needs it says so."""

    def load() -> None:
        with suppress(ImportError):
            for module in modules:
                importlib.import_module(module)

    threading.Thread(target=load, name="loads ahead", daemon=True).start()
