"""Opens what the settings name: the database of job rows, the object store, the pose model, the channel of alerts.

Belongs here: the one place that turns `Settings` into open things, used by the command line, the API and Dagster's resources alike.
Does not belong here: what is done with them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.settings import Settings

if TYPE_CHECKING:
    from cricksy_pipeline.alerting.alert import Notifier
    from cricksy_pipeline.analysis.model import PoseModel
    from cricksy_pipeline.store.jobs import JobStore
    from cricksy_pipeline.store.objects import ObjectStore

DATABASE_NAME = "cricksy"
DAGSTER_DATABASE_NAME = "dagster"


def database_url(settings: Settings) -> str:
    """SQLAlchemy address of the job database; starts the embedded server where none is configured."""
    from cricksy_pipeline.store.database import normalise_url

    if settings.database_url is not None:
        return normalise_url(settings.database_url.get_secret_value())
    return embedded_url(settings, DATABASE_NAME)


def dagster_database_url(settings: Settings) -> str:
    """Address of the PostgreSQL database for Dagster's own records: the configured one, else a second database of the embedded server."""
    from cricksy_pipeline.store.database import normalise_url

    if settings.dagster_database_url is not None:
        return normalise_url(settings.dagster_database_url.get_secret_value())
    return embedded_url(settings, DAGSTER_DATABASE_NAME)


def embedded_url(settings: Settings, database: str) -> str:
    """Address of one database of the embedded server, which is started (and the database made) where needed."""
    from cricksy_pipeline.store import embedded

    return embedded.start(settings.folder / "postgres").url(database)


def open_job_store(settings: Settings) -> JobStore:
    """The job rows. Raises CricksyError DATABASE_UNAVAILABLE where the server does not answer."""
    from cricksy_pipeline.store.database import make_engine
    from cricksy_pipeline.store.jobs import JobStore

    return JobStore(make_engine(database_url(settings)))


def open_object_store(settings: Settings) -> ObjectStore:
    """The object store: the S3 bucket that is configured, else a folder."""
    from cricksy_pipeline.store.objects import LocalObjectStore, S3ObjectStore

    if settings.bucket is None:
        return LocalObjectStore(settings.folder / "store")
    from dagster_aws.s3 import S3Resource

    s3 = S3Resource(region_name=settings.s3_region, endpoint_url=settings.s3_endpoint, profile_name=settings.s3_profile)
    client = s3.get_client()
    # boto3 presigns with signature version 2 where it may; buckets made since June 2020 refuse that, and S3Resource has no option for it.
    client.meta.events.register("choose-signer.s3", lambda **_: "s3v4")
    return S3ObjectStore(client, settings.bucket)


def open_notifier(settings: Settings, owners: Collection[str]) -> Notifier:
    """Where alerts go. Connects to nothing yet. Raises BadAlertSettings (ValueError) naming every owner without a usable target."""
    from cricksy_pipeline.alerting import channels

    return channels.open_notifier(
        settings.alert_channel,
        owners=owners,
        routes=settings.alert_routes,
        smtp_url=settings.alert_smtp_url,
        sender=settings.alert_from,
    )


def open_pose_model(settings: Settings, *, report: Callable[[str], None] | None = None) -> PoseModel:
    """The model weights, from the cache or fetched by hash."""
    from cricksy_pipeline.analysis.model import ensure_model

    return ensure_model(settings.models, settings.pose_model, report=report)


def prepare_database(settings: Settings) -> None:
    """The embedded database is brought to the newest revision; another's is only looked at, for its owner decides when it changes.

    Raises CricksyError DATABASE_UNAVAILABLE where another's database is not at the revision that this code needs.
    """
    from cricksy_pipeline.store import migrate

    if settings.database_url is None:
        migrate.migrate(database_url(settings))
    elif (revision := migrate.current(database_url(settings))) != migrate.HEAD:
        raise CricksyError(
            ErrorCode.DATABASE_UNAVAILABLE,
            f"The database is at revision {revision or 'none'}, this code needs {migrate.HEAD}. Run: alembic upgrade head",
        )
