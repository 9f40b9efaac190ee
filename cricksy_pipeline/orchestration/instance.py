"""Where Dagster keeps its own records, and the home folder of the embedded instance.

Belongs here: the choice between PostgreSQL and SQLite for Dagster's storage. Does not belong here: the job rows (`store`).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster._core.storage.base_storage import DagsterStorage

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.settings import Settings

if TYPE_CHECKING:
    from dagster._serdes import ConfigurableClassData


class EnvStorage(DagsterStorage):
    """Dagster's storage as the settings say: PostgreSQL where an address is given, else SQLite.

    Named in dagster.yaml because that file cannot choose by environment. Dagster never makes an instance of this class: it asks
    `from_config_value`, which returns one of Dagster's own storages. It refuses any class that is not a DagsterStorage.
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No options: everything is in the environment."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]) -> DagsterStorage:
        """One of Dagster's own storages."""
        settings = Settings()
        url = settings.dagster_database_url
        if url is None:
            from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

            # A plain `dagster dev` sets no DAGSTER_HOME, and each of its processes opens the storage anew: a folder of one process's own
            # making would leave every run queued for ever, in a file that the daemon does not read.
            home = settings.dagster_home or settings.folder / "dagster"
            return DagsterSqliteStorage(base_dir=str(home / "storage"), inst_data=inst_data)
        from dagster_postgres import DagsterPostgresStorage

        from cricksy_pipeline.store.database import normalise_url

        return DagsterPostgresStorage(
            postgres_url=normalise_url(url.get_secret_value()), should_autocreate_tables=True, inst_data=inst_data
        )


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
