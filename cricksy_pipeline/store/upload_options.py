"""What was said about an upload: in its metadata, in a JSON file beside it, by the folder it lies in.

Belongs here: reading those places, and refusing what cannot be meant. Does not belong here: the rows that an API made beforehand, which
come before all of these (`uploads`).

Nothing is guessed. An option that nobody gave has its documented default; one that was given and cannot be understood is a problem, which
the caller writes into the job's row. The mode has no default.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.keys import DROP_ROOT, options_keys
from cricksy_pipeline.store.models import ANALYSIS_MODES
from cricksy_pipeline.store.objects import ObjectHead, ObjectMissing, ObjectStore

MOST_OPTIONS_BYTES = 64 * 1024
MOST_SAMPLE_FPS = 60
"""The fastest grid that a run accepts."""

MOST_PEOPLE, MOST_SLOW_MOTION = 8, 64.0
"""The limits of `analysis.options`, which this room cannot import; a test holds them equal."""


@dataclass(frozen=True)
class UploadOptions:
    """How an upload is to be analysed.

    Attributes:
        analysis_mode: None where nobody said it, or said it in a way that is a problem.
        title: None where nobody gave one.
        sample_fps: frames per second of the deep pass.
        subject, slow_motion: which person is the player, how many times slower than life the video plays; None: not said.
        problem: why the upload cannot be analysed as it was asked for; None where it can.
    """

    analysis_mode: str | None = None
    title: str | None = None
    deep_enabled: bool = True
    include_frames: bool = False
    sample_fps: int = 10
    subject: int | None = None
    slow_motion: float | None = None
    problem: CricksyError | None = None

    @property
    def analysis_options(self) -> dict[str, Any]:
        """What was said beside the mode, as the job's row has it."""
        said = {"subject": self.subject, "slow_motion": self.slow_motion}
        return {name: value for name, value in said.items() if value is not None}


class StillArriving(Exception):
    """The options file is as young as one that is still being written: look again later."""


def read_options(objects: ObjectStore, head: ObjectHead, session_mode: str | None) -> UploadOptions:
    """The options of one upload. Where places disagree the first counts: session, metadata, JSON file, folder.

    Args:
        session_mode: the mode of the session that the upload belongs to, or None.

    Raises:
        StillArriving: see there.
        CricksyError: STORE_UNAVAILABLE.
    """
    given: dict[str, Any] = {}
    problem = None
    try:
        for place, options in _places(objects, head, session_mode):
            for name, value in options.items():
                given.setdefault(name, _OPTIONS[name](value, f"{place}: {name}"))
    except CricksyError as error:
        if error.code is ErrorCode.STORE_UNAVAILABLE:
            raise
        problem = error
    if problem is None and "analysis_mode" not in given:
        problem = CricksyError(ErrorCode.MODE_MISSING, f"Nobody said what {head.key} shows.")
    return UploadOptions(**given, problem=problem)


def _places(objects: ObjectStore, head: ObjectHead, session_mode: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    if session_mode:
        yield "the session", {"analysis_mode": session_mode}
    # Names in the metadata are anybody's; S3 has them in lower case and with dashes.
    metadata = {name.replace("-", "_"): value for name, value in head.metadata.items()}
    yield f"the metadata of {head.key}", {name: value for name, value in metadata.items() if name in _OPTIONS}
    for key in options_keys(head.key):
        options = _options_file(objects, key)
        if options is not None:
            yield key, options
            break
    folders = head.key.lower().split("/")[1:-1] if head.key.startswith(f"{DROP_ROOT}/") else []
    modes = sorted(set(folders) & set(ANALYSIS_MODES))
    if len(modes) > 1:
        raise CricksyError(ErrorCode.MODE_MISSING, f"The folders of {head.key} name {' and '.join(modes)}.")
    if modes:
        yield "the folder", {"analysis_mode": modes[0]}


def _options_file(objects: ObjectStore, key: str) -> dict[str, Any] | None:
    """What a JSON file says, or None where there is none."""
    try:
        found = objects.head(key)
        if found is None:
            return None
        if 0 <= (datetime.now(UTC) - found.last_modified).total_seconds() < objects.settle_s:
            raise StillArriving(key)
        if found.size > MOST_OPTIONS_BYTES:
            raise _damaged(key, f"it has {found.size:,} bytes, more than {MOST_OPTIONS_BYTES:,}")
        options = json.loads(objects.get(key).decode("utf-8-sig"))
    except ObjectMissing:
        return None
    except (ValueError, RecursionError) as error:
        raise _damaged(key, str(error)[:200]) from error
    if not isinstance(options, dict):
        raise _damaged(key, "it is no JSON object")
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        # A misspelt option would otherwise be a default that nobody asked for.
        raise _damaged(key, f"{', '.join(unknown)[:100]} is no option; there are {', '.join(_OPTIONS)}")
    return options


def _damaged(key: str, why: str) -> CricksyError:
    return CricksyError(ErrorCode.MODE_MISSING, f"What {key} says cannot be used: {why}.")


def _mode(value: Any, where: str) -> str:
    word = value.strip().lower() if isinstance(value, str) else value
    if word not in ANALYSIS_MODES:
        raise CricksyError(ErrorCode.MODE_UNSUPPORTED, f"{where} is {_shown(value)}, not one of {', '.join(ANALYSIS_MODES)}.")
    return word


def _title(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _refused(where, value, "a text")
    return value.strip()


def _flag(value: Any, where: str) -> bool:
    word = value.strip().lower() if isinstance(value, str) else value
    if word is True or word is False:
        return word
    if word not in ("true", "false"):
        raise _refused(where, value, "true or false")
    return word == "true"


def _rate(value: Any, where: str) -> int:
    # A bool is a number to Python; a number in metadata is a text.
    try:
        rate = int(value.strip()) if isinstance(value, str) else value
    except ValueError:
        rate = None
    if isinstance(rate, bool) or not isinstance(rate, int) or not 1 <= rate <= MOST_SAMPLE_FPS:
        raise _refused(where, value, f"a whole number from 1 to {MOST_SAMPLE_FPS}")
    return rate


def _person(value: Any, where: str) -> int:
    number = _number(value)
    if number is None or number != int(number) or not 1 <= number <= MOST_PEOPLE:
        raise _refused(where, value, f"a whole number from 1 to {MOST_PEOPLE}")
    return int(number)


def _slowness(value: Any, where: str) -> float:
    number = _number(value)
    if number is None or not 1 <= number <= MOST_SLOW_MOTION:
        raise _refused(where, value, f"a number from 1 to {MOST_SLOW_MOTION:g}")
    return number


def _number(value: Any) -> float | None:
    """A finite number, or None. A bool is a number to Python."""
    try:
        number = float(value.strip()) if isinstance(value, str) else value
    except ValueError:
        return None
    return float(number) if isinstance(number, (int, float)) and not isinstance(number, bool) and abs(number) < 1e9 else None


def _refused(where: str, value: Any, wanted: str) -> CricksyError:
    return CricksyError(ErrorCode.OPTIONS_INVALID, f"{where} is {_shown(value)}, not {wanted}.")


def _shown(value: Any) -> str:
    return repr(value)[:60]


_OPTIONS: dict[str, Callable[[Any, str], Any]] = {
    "analysis_mode": _mode,
    "title": _title,
    "deep_enabled": _flag,
    "include_frames": _flag,
    "sample_fps": _rate,
    "subject": _person,
    "slow_motion": _slowness,
}
