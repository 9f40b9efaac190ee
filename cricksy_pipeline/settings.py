"""The only reader of the environment: every `CRICKSY_*` variable, its default and its meaning.

Belongs here: names, types, defaults. Does not belong here: opening anything (`stack`). The table of variables in the README is
generated from the descriptions below; a test holds that.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things are and how much of the machine to use. With nothing set, everything runs on the embedded stack under `.cricksy/`."""

    model_config = SettingsConfigDict(env_prefix="CRICKSY_", extra="ignore")

    data_dir: Path = Field(
        Path(".cricksy"), description="Folder of the embedded stack: PostgreSQL, object store, model weights, Dagster's home."
    )
    database_url: SecretStr | None = Field(None, description="PostgreSQL of the job rows. Unset: the embedded server.")
    dagster_database_url: SecretStr | None = Field(
        None, description="PostgreSQL of Dagster's own storage. Unset: the embedded server for `cricksy`, SQLite for plain Dagster."
    )
    bucket: str | None = Field(None, description="S3 bucket of uploads and results. Unset: the folder `store` of the data folder.")
    s3_region: str | None = Field(None, description="AWS region of the bucket.")
    s3_endpoint: str | None = Field(None, description="Address of an S3-compatible store other than AWS.")
    s3_profile: str | None = Field(None, description="Profile in the AWS configuration files.")
    pose_model: Literal["lite", "full", "heavy"] = Field(
        "full", description="BlazePose variant. Part of the analysis version: variants give different numbers."
    )
    pose_finder: Literal["lite", "full", "heavy"] = Field(
        "lite",
        description="BlazePose variant that looks for deliveries after the first thirty seconds; what is measured at them "
        "`CRICKSY_POSE_MODEL` sees. Part of the analysis version.",
    )
    pose_device: Literal["cpu", "gpu"] = Field(
        "cpu", description="Where BlazePose runs. `gpu` needs one that MediaPipe can use; its answers differ in the last digits."
    )
    pose_workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        description="Pose processes at once, each of which fills a core and decodes ahead on another that is idle. Changes the time taken, "
        "never the numbers.",
    )
    model_dir: Path | None = Field(None, description="Cache of the model weights. Unset: the folder `models` of the data folder.")
    max_video_seconds: float = Field(900.0, gt=0, description="Longer videos are refused with VIDEO_TOO_LONG.")
    max_video_bytes: int = Field(4 * 1024**3, gt=0, description="Larger files are refused with VIDEO_TOO_LARGE.")
    dagster_home: Path | None = Field(
        None, validation_alias="DAGSTER_HOME", description="Dagster's own variable: where dagster.yaml and SQLite lie."
    )
    public_url: str = Field(
        "http://127.0.0.1:8000", description="Address of the API as a browser sees it, for links in Dagster's metadata."
    )
    overlays: bool = Field(True, description="Whether overlay videos are drawn after each finished analysis, as work of low priority.")
    partition_retention_days: float = Field(
        180.0, gt=0, description="Days after its job's end that a partition stays listed in Dagster; row and objects stay for good."
    )
    alert_channel: Literal["log", "slack", "sns", "email"] = Field("log", description="Where alerts go: log, slack, sns or email.")
    alert_routes: SecretStr | None = Field(
        None,
        description="Who gets which alerts: a JSON object of owner (such as `team:coaching-science`, or `default`) to Slack webhook, "
        "SNS topic ARN or e-mail address.",
    )
    alert_after: int = Field(3, ge=1, description="Failures in a row after which an owner is told; again at twice as many, and so on.")
    alert_smtp_url: SecretStr | None = Field(
        None, description="Mail server of the channel email: smtp://user:password@host:587, or smtps://. STARTTLS is used where offered."
    )
    alert_from: str | None = Field(None, description="Sender of alerts by e-mail.")

    jwt_issuer: str | None = Field(None, description="The `iss` that a token must have.")
    jwt_audience: str | None = Field(None, description="The `aud` that a token must have, or have among others.")
    jwt_jwks_url: str | None = Field(
        None,
        description="Where the issuer publishes its keys (JWKS, https). This or a secret is needed anywhere but on the embedded stack.",
    )
    jwt_algorithms: str = Field(
        "RS256,ES256,EdDSA", description="With published keys: the algorithms that a token may be signed with. With a secret it is HS256."
    )
    jwt_secret: SecretStr | None = Field(
        None, description="Secret of 32 bytes or more that issuer and API share, in place of published keys."
    )
    jwt_leeway_seconds: float = Field(30.0, ge=0, le=300, description="How far the clocks of issuer and API may differ.")
    jwt_coach_claim: str = Field("sub", description="Claim of a token that names the coach, as `owner_id` of his sessions does.")
    jwt_orgs_claim: str = Field("orgs", description="Claim of a token that lists his organisations; it may be absent.")
    limit_uploads: str = Field("120/hour", description="Uploads that one coach may begin; several limits are joined by `;`.")
    limit_analyses: str = Field("120/hour", description="Analyses, retries and re-analyses that one coach may ask for.")
    limit_sign_in: str = Field("20/minute", description="Sign-ins that one address may try.")
    limit_address_share: int = Field(5, ge=1, description="How many coaches' worth of uploads and analyses one address may ask for.")

    @property
    def folder(self) -> Path:
        """The data folder as an absolute path."""
        return self.data_dir.expanduser().absolute()

    @property
    def models(self) -> Path:
        """The cache of model weights as an absolute path."""
        return (self.model_dir or self.folder / "models").expanduser().absolute()
