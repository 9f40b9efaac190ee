"""What a run works with, opened once per run: the job rows, the object store, the pose model, a local copy of the video.

Belongs here: Dagster resources, each a few lines over `stack`. They are plain objects behind `dg.ResourceParam`, not config models,
because Dagster's pages show a resource's config and an address may hold a password. Does not belong here: what stages do with them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import dagster as dg

from cricksy_pipeline import stack
from cricksy_pipeline.analysis.isolation import Children
from cricksy_pipeline.analysis.model import PoseModel
from cricksy_pipeline.orchestration.asset_options import COACHING_OWNER, DATA_OWNER
from cricksy_pipeline.orchestration.source_video import SourceVideos
from cricksy_pipeline.orchestration.stage import Stages
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.database import ping
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.objects import ObjectStore

Jobs = dg.ResourceParam[JobStore]
AnsweringJobs = dg.ResourceParam[JobStore]
Run = dg.ResourceParam[Stages]
Objects = dg.ResourceParam[ObjectStore]
Videos = dg.ResourceParam[SourceVideos]
Config = dg.ResourceParam[Settings]


class Model:
    """The pose models, fetched at first use: a run that needs no pose never asks for weights, a short clip for no finder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model: PoseModel | None = None
        self._finder: PoseModel | None = None

    def get(self) -> PoseModel:
        """The one that measures, verified by hash. Raises CricksyError INTERNAL where no source has it."""
        if self._model is None:
            self._model = stack.open_pose_model(self._settings)
        return self._model

    def finder(self) -> PoseModel:
        """The one that looks for deliveries; as `get`."""
        if self._finder is None:
            self._finder = stack.open_pose_finder(self._settings)
        return self._finder


Weights = dg.ResourceParam[Model]


def build_resources(settings: Settings) -> dict[str, object]:
    """The resources of one code location, by the parameter name that assets use."""

    # Once per process: a plain `dagster dev` in a fresh clone has nobody else to make the tables.
    prepare = cache(lambda: stack.prepare_database(settings))

    @dg.resource(description="Job rows in PostgreSQL.")
    def jobs(_) -> Iterator[JobStore]:
        prepare()
        opened = stack.open_job_store(settings)
        try:
            yield opened
        finally:
            opened.engine.dispose()

    @dg.resource(description="The job rows, of a database that has just answered.", required_resource_keys={"jobs"})
    def answering_jobs(context) -> JobStore:
        ping(context.resources.jobs.engine)
        return context.resources.jobs

    @dg.resource(description="Uploads and results: an S3 bucket or a local folder.")
    def objects(_) -> ObjectStore:
        return stack.open_object_store(settings)

    @dg.resource(
        description="Local copies of source videos, and the processes that open them, gone when the run ends.",
        required_resource_keys={"objects"},
    )
    def source_videos(context) -> Iterator[SourceVideos]:
        with tempfile.TemporaryDirectory(prefix="cricksy-run-") as folder, Children(settings.pose_workers) as children:
            yield SourceVideos(context.resources.objects, Path(folder), children)

    @dg.resource(description="The stages of one run; with them the heartbeat of its row.", required_resource_keys={"jobs"})
    def stages(context) -> Iterator[Stages]:
        opened = Stages(context.resources.jobs, settings)
        try:
            yield opened
        finally:
            opened.close()

    return {
        "jobs": jobs,
        "answering_jobs": answering_jobs,
        "stages": stages,
        "objects": objects,
        "source_videos": source_videos,
        "weights": dg.ResourceDefinition.hardcoded_resource(Model(settings), description="BlazePose weights, by SHA-256."),
        # Opened now: a route that is missing is one error at the start, not one at the first alert.
        "notifier": dg.ResourceDefinition.hardcoded_resource(
            stack.open_notifier(settings, (DATA_OWNER, COACHING_OWNER)), description="Where alerts go."
        ),
        "settings": dg.ResourceDefinition.hardcoded_resource(settings, description="CRICKSY_* variables."),
    }
