"""Loading much code at once, and large arrays.

Belongs here: what makes it cheap, lets nobody wait for it, and gives the memory back. Does not belong here: what is loaded.
"""

from __future__ import annotations

import atexit
import ctypes
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


def return_large_blocks(least_bytes: int = 2 * 1024**2) -> None:
    """Have glibc return what is freed in pieces of so many bytes and more, from now on.

    By itself it raises that limit to 32 MB with the first large array that is freed, and each thread keeps what it freed for later: an
    hour's landmarks are 40 MB in arrays of 5 to 15, and after a few steps over them a fifth of a gigabyte was kept and not used.
    A limit much lower has its price: what is returned is cleared by the kernel when it is taken again. At 256 KiB, listening to six
    minutes of sound took 1.6 s instead of 1.0.
    """
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    with suppress(AttributeError, OSError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_threshold, least_bytes)
        mallopt(trim_threshold, 2 * least_bytes)  # the ratio that glibc itself keeps: smaller pieces wait at the heap's end


def trim_heap() -> None:
    """Have glibc return, now, what was freed in small pieces: some milliseconds."""
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
