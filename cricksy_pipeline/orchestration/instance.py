"""Where Dagster keeps its own records, the home folder of the embedded instance, and opening that instance from a command.

Belongs here: the choice between PostgreSQL and SQLite for Dagster's storage, and whether a daemon watches. Does not belong here: the
job rows (`store`), running anything (`local_run`).
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster import DagsterInstance
from dagster._core.storage.base_storage import DagsterStorage

from cricksy_pipeline import stack
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.settings import Settings

if TYPE_CHECKING:
    from dagster._serdes import ConfigurableClassData


ALIVE_S = 90.0
"""A daemon beats every 30 s."""


class EnvStorage(DagsterStorage):
    """Dagster's storage as the settings say: PostgreSQL where an address is given, else SQLite.

    Named in dagster.yaml because that file cannot choose by environment. Dagster never makes an instance of this class: it asks
    `from_config_value`, which returns what it is. It refuses any class that is not a DagsterStorage.
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No options: everything is in the environment."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]) -> DagsterStorage:
        """The storage that the settings name."""
        settings = Settings()
        url = settings.dagster_database_url
        if url is None:
            from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

            # A plain `dagster dev` sets no DAGSTER_HOME, and each of its processes opens the storage anew: a folder of one process's own
            # making would leave every run queued for ever, in a file that the daemon does not read.
            home = settings.dagster_home or settings.folder / "dagster"
            return DagsterSqliteStorage(base_dir=str(home / "storage"), inst_data=inst_data)
        from cricksy_pipeline.orchestration.dagster_storage import PooledPostgresStorage
        from cricksy_pipeline.store.database import normalise_url

        return PooledPostgresStorage(normalise_url(url.get_secret_value()), inst_data)


def project_file(name: str) -> Path:
    """A file of the project's root folder, which an installed package does not have. Raises CricksyError INTERNAL where it is not there."""
    path = Path(__file__).resolve().parents[2] / name
    if not path.exists():
        raise CricksyError(
            ErrorCode.INTERNAL, f"{name} is not at {path}: run from a checkout of the project, or set DAGSTER_HOME yourself."
        )
    return path


def prepare_home(settings: Settings) -> Path:
    """The DAGSTER_HOME of the embedded instance, with the project's dagster.yaml in it."""
    home = settings.folder / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(project_file("dagster.yaml"), home / "dagster.yaml")
    return home


def daemon_is_alive(settings: Settings) -> bool:
    """Whether a Dagster daemon watches this instance, so that a queued job is taken up by itself."""
    from dagster._daemon.daemon import SensorDaemon

    kind = SensorDaemon.daemon_type()
    with open_instance(settings) as instance:
        last = instance.get_daemon_statuses([kind])[kind].last_heartbeat
    # Dagster itself calls a daemon healthy for half an hour after its last heartbeat.
    return last is not None and time.time() - last.timestamp < ALIVE_S


def point_dagster_to(settings: Settings) -> None:
    """Dagster finds its instance by environment: the same storage as `cricksy dev`, so that what is done here stands in its pages."""
    os.environ.setdefault("DAGSTER_HOME", str(prepare_home(settings)))
    os.environ.setdefault("CRICKSY_DAGSTER_DATABASE_URL", stack.dagster_database_url(settings))
    os.environ.setdefault("MPLCONFIGDIR", str(settings.folder / "matplotlib"))


def open_instance(settings: Settings) -> DagsterInstance:
    """The Dagster instance, as `cricksy dev` has it. A context manager."""
    point_dagster_to(settings)
    return DagsterInstance.from_config(os.environ["DAGSTER_HOME"])
