"""Whether everything is there that an analysis needs, and what to do where it is not.

Belongs here: looking, one function a prerequisite, without changing anything: what is made at first use is said to be so, not made. Does
not belong here: printing (`reading.printing.checkup`), mending.

Each function takes the settings and returns one line; an exception inside one is that line's finding, never the end of the others.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator

from cricksy_pipeline import stack
from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.reading.printing.checkup import Health, Prerequisite
from cricksy_pipeline.reading.printing.places import answers
from cricksy_pipeline.settings import Settings

DISTRIBUTION = "cricksy-pipeline"
LIBRARIES = ("libEGL.so.1", "libGLESv2.so.2", "libGL.so.1", "libgthread-2.0.so.0")
"""What MediaPipe and OpenCV load from the system; `deploy/system-libraries.sh` installs them."""

ENOUGH_BYTES, FEWEST_BYTES = 5 * 1024**3, 1024**3
"""Free space below which it is worth a note, and below which a run may not end. House defaults: an hour of phone video has some 5 GB, one
video with its copy and results below one."""

FIRST_USE = "not there yet; the first `cricksy demo` or `submit` makes it"
Found = tuple[Health, str, str | None]


def examine(settings: Settings, say: Callable[[str], None] = lambda _: None) -> Iterator[Prerequisite]:
    """Look at everything, one after the other. `say` is told what is being looked at."""
    for name, look in LOOKS.items():
        say(name)
        try:
            health, found, to_do = look(settings)
        except CricksyError as error:
            health, found, to_do = "missing", error.message, error.advice
        except Exception as error:  # a broken prerequisite breaks in its own way
            health, found, to_do = "missing", f"{type(error).__name__}: {error}"[:300], "Report it with this line."
        yield Prerequisite(name=name, health=health, found=found, to_do=to_do)


def _python(_: Settings) -> Found:
    from packaging.specifiers import SpecifierSet

    wanted = importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"]
    running = ".".join(map(str, sys.version_info[:3]))
    if SpecifierSet(wanted).contains(running):
        return "ok", f"Python {running}", None
    return "missing", f"Python {running}; {wanted} is needed", "Make the environment with another Python: make demo PYTHON=python3.11"


def _packages(_: Settings) -> Found:
    from packaging.requirements import Requirement

    wrong, seen = [], 0
    for line in importlib.metadata.requires(DISTRIBUTION) or ():
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        seen += 1
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is not installed")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} {version}, wanted {requirement.specifier}")
    if wrong:
        return "missing", "; ".join(wrong), "Install what is pinned: make demo, or pip install -c requirements.lock -e ."
    return "ok", f"{seen} packages as the project asks for", None


def _libraries(_: Settings) -> Found:
    if sys.platform != "linux":
        return "ok", f"none needed on {sys.platform}", None
    absent = [name for name in LIBRARIES if not _loads(name)]
    if absent:
        return "missing", f"not to be loaded: {', '.join(absent)}", "As root: sh deploy/system-libraries.sh"
    return "ok", ", ".join(LIBRARIES), None


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _model(settings: Settings) -> Found:
    from cricksy_pipeline.analysis.model import ensure_model

    there, absent = [], []
    for variant in dict.fromkeys((settings.pose_model, settings.pose_finder)):
        if settings.models.is_dir():
            with contextlib.suppress(CricksyError):  # it is not in the cache, or not as it was put there
                model = ensure_model(settings.models, variant, sources={})
                there.append(f"{model.path.name}, SHA-256 {model.sha256[:12]}")
                continue
        absent.append(variant)
    if not absent:
        return "ok", "; ".join(there), None
    return "note", f"{' and '.join(absent)} not in {settings.models}", "Fetched and checked at first use, which needs the network."


def _database(settings: Settings) -> Found:
    from cricksy_pipeline.store.database import make_engine, ping

    if settings.database_url is None and not _embedded_is_made(settings):
        return "ok", f"embedded PostgreSQL, {FIRST_USE}", None
    engine = make_engine(stack.database_url(settings))
    try:
        ping(engine)
        kind = "embedded PostgreSQL" if settings.database_url is None else f"PostgreSQL at {engine.url.host or 'a local socket'}"
        return "ok", f"{kind}, database {engine.url.database}, answers", None
    finally:
        engine.dispose()


def _migrations(settings: Settings) -> Found:
    from cricksy_pipeline.store import migrate

    if settings.database_url is None and not _embedded_is_made(settings):
        return "ok", FIRST_USE, None
    revision = migrate.current(stack.database_url(settings))
    if revision == migrate.HEAD:
        return "ok", f"at {revision}", None
    stands = f"at {revision or 'none'}; this code needs {migrate.HEAD}"
    if settings.database_url is None:
        return "note", stands, "The embedded database is brought up at the next use."
    return "missing", stands, "alembic upgrade head"


def _embedded_is_made(settings: Settings) -> bool:
    return (settings.folder / "postgres" / "PG_VERSION").exists()


def _store(settings: Settings) -> Found:
    if settings.bucket is None:
        folder = settings.folder / "store"
        if not folder.exists():
            return "ok", f"folder {folder}, {FIRST_USE}", None
        if not os.access(folder, os.W_OK | os.X_OK):
            return "missing", f"folder {folder} cannot be written", "Give this user the right to write there."
        return "ok", f"folder {folder}", None
    stack.open_object_store(settings).head("healthz")
    return "ok", f"bucket {settings.bucket} answers", None


def _dagster_home(settings: Settings) -> Found:
    from cricksy_pipeline.orchestration.instance import project_file

    home = settings.dagster_home or settings.folder / "dagster"
    mine = home / "dagster.yaml"
    if not mine.exists():
        if settings.dagster_home is None:
            return "ok", f"{home}, {FIRST_USE}", None
        return "missing", f"DAGSTER_HOME {home} has no dagster.yaml", f"cp dagster.yaml {home}/"
    if mine.read_text() == project_file("dagster.yaml").read_text():
        return "ok", f"{home}, with the project's dagster.yaml", None
    if settings.dagster_home is None:
        return "note", f"{home}, with another dagster.yaml than the project's", "Replaced at the next use."
    return "ok", f"{home}, with a dagster.yaml of its own", None


def _daemon(settings: Settings) -> Found:
    from dagster._daemon.daemon import SensorDaemon

    from cricksy_pipeline.orchestration.instance import ALIVE_S, open_instance

    idle = "Uploads and retries wait for one: cricksy dev. `submit` and `demo` need none."
    if settings.dagster_database_url is None and not _embedded_is_made(settings):
        return "note", "none has ever run here", idle
    kind = SensorDaemon.daemon_type()
    with open_instance(settings) as instance:
        last = instance.get_daemon_statuses([kind])[kind].last_heartbeat
    if last is None:
        return "note", "none has ever run here", idle
    silent = time.time() - last.timestamp
    if silent < ALIVE_S:
        return "ok", f"beat {silent:.0f} s ago", None
    return "note", f"silent for {silent / 60:.0f} min", idle


def _reader(settings: Settings) -> Found:
    if answers(settings.public_url):
        return "ok", f"{settings.public_url} answers", None
    return "note", f"nothing answers at {settings.public_url}", "cricksy dev, or set CRICKSY_PUBLIC_URL to where the API is."


def _disk(settings: Settings) -> Found:
    place = next(folder for folder in (settings.folder, *settings.folder.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    said = f"{free / 1024**3:.1f} GB free at {place}"
    if free >= ENOUGH_BYTES:
        return "ok", said, None
    return "note" if free >= FEWEST_BYTES else "missing", said, "Make room: cricksy housekeeping, or another CRICKSY_DATA_DIR."


def _browser(_: Settings) -> Found:
    return "ok", "not needed: Chromium serves only the tests of the pages", None


LOOKS: dict[str, Callable[[Settings], Found]] = {
    "python": _python,
    "packages": _packages,
    "system libraries": _libraries,
    "pose model": _model,
    "disk": _disk,
    "database": _database,
    "migrations": _migrations,
    "object store": _store,
    "dagster home": _dagster_home,
    "dagster daemon": _daemon,
    "api and pages": _reader,
    "browser": _browser,
}
"""What is looked at, in the order in which one needs the other."""
