"""Opens what the settings name: the database of job rows, the object store, the door of the API, the pose model, the channel of alerts.

Belongs here: the one place that turns `Settings` into open things, used by the command line, the API and Dagster's resources alike.
Does not belong here: what is done with them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.settings import Settings

if TYPE_CHECKING:
    from cricksy_pipeline.alerting.alert import Notifier
    from cricksy_pipeline.analysis.model import PoseModel
    from cricksy_pipeline.reading.api.access import Access
    from cricksy_pipeline.reading.api.signing_keys import PublicKeys, SharedSecret
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
    # First, because the first answer counts, and boto3's own is there already.
    client.meta.events.register_first("choose-signer.s3", lambda **_: "s3v4")
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


class BadAccessSettings(CricksyError):
    """The settings do not say whose tokens to believe. Code AUTH_REQUIRED, but the one to act is the operator."""

    @property
    def advice(self) -> str:
        """What to do about it, one sentence."""
        return "The variables CRICKSY_JWT_... are described in the README; without them nobody could sign in."


def is_embedded(settings: Settings) -> bool:
    """Whether the job rows are those of the embedded server of this data folder: nothing else is configured, or its own address is."""
    if settings.database_url is None:
        return True
    from cricksy_pipeline.store import embedded

    return embedded.serves(settings.folder / "postgres", settings.database_url.get_secret_value())


def open_access(settings: Settings) -> Access:
    """Who may ask the API: who has a token of the configured issuer; on the embedded stack, where none is configured, who sits at it.

    Raises:
        BadAccessSettings: anywhere else nothing is configured; or not all of it is, or it means nothing.
    """
    from cricksy_pipeline.reading.api.access import Access
    from cricksy_pipeline.reading.api.development import development_secret
    from cricksy_pipeline.reading.api.rate_limits import RateLimits
    from cricksy_pipeline.reading.api.tokens import Tokens

    issued_by = [settings.jwt_jwks_url, settings.jwt_secret]
    try:
        limits = RateLimits(settings.limit_uploads, settings.limit_analyses, settings.limit_sign_in, settings.limit_address_share)
        if is_embedded(settings) and not any(issued_by):
            return Access.on_the_embedded_stack(development_secret(settings.folder), limits=limits)
        if issued_by.count(None) != 1 or not settings.jwt_issuer or not settings.jwt_audience:
            raise ValueError("say CRICKSY_JWT_ISSUER, CRICKSY_JWT_AUDIENCE, and one of CRICKSY_JWT_JWKS_URL and CRICKSY_JWT_SECRET")
        tokens = Tokens(
            _signing_keys(settings),
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            leeway_s=settings.jwt_leeway_seconds,
            coach_claim=settings.jwt_coach_claim,
            orgs_claim=settings.jwt_orgs_claim,
        )
    except ValueError as error:
        raise BadAccessSettings(ErrorCode.AUTH_REQUIRED, f"The API would not know its callers: {error}.") from error
    return Access(tokens, limits=limits, https=settings.public_url.startswith("https://"))


def _signing_keys(settings: Settings) -> SharedSecret | PublicKeys:
    from cricksy_pipeline.reading.api.signing_keys import PublicKeys, SharedSecret

    if settings.jwt_secret is not None:
        return SharedSecret(settings.jwt_secret.get_secret_value().encode())
    names = tuple(name.strip() for name in settings.jwt_algorithms.split(",") if name.strip())
    return PublicKeys(settings.jwt_jwks_url or "", algorithms=names)


def open_pose_model(settings: Settings, *, report: Callable[[str], None] | None = None) -> PoseModel:
    """The weights that measure, from the cache or fetched by hash."""
    return _open_model(settings, settings.pose_model, report)


def open_pose_finder(settings: Settings, *, report: Callable[[str], None] | None = None) -> PoseModel:
    """The weights that look for deliveries, as `open_pose_model`."""
    return _open_model(settings, settings.pose_finder, report)


def _open_model(settings: Settings, variant: str, report: Callable[[str], None] | None) -> PoseModel:
    from cricksy_pipeline.analysis.model import ensure_model

    return replace(ensure_model(settings.models, variant, report=report), device=settings.pose_device)


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
