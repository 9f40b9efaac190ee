"""The real code location, except that its object store obeys `orders`: what the code server of `live_stack` serves.

Belongs here: that store, and the wiring. Does not belong here: any other change; what runs is the product.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.objects import LocalObjectStore, ObjectHead
from cricksy_pipeline_tests.faults.orders import FOLDER_VARIABLE, Orders

PARTITION = "dagster/partition"


class ObedientObjects(LocalObjectStore):
    """A folder as object store; before every operation it does what the test ordered for this job and moment."""

    def __init__(self, root: Path, orders: Orders) -> None:
        super().__init__(root)
        self._orders = orders

    def put(self, key: str, *args: Any, **kwargs: Any) -> ObjectHead:
        self._obey("put", key)
        return super().put(key, *args, **kwargs)

    def put_file(self, key: str, *args: Any, **kwargs: Any) -> ObjectHead:
        self._obey("put_file", key)
        return super().put_file(key, *args, **kwargs)

    def get(self, key: str) -> bytes:
        self._obey("get", key)
        return super().get(key)

    def head(self, key: str) -> ObjectHead | None:
        self._obey("head", key)
        return super().head(key)

    def download(self, key: str, path: Path) -> ObjectHead:
        self._obey("download", key)
        return super().download(key, path)

    def delete(self, key: str) -> None:
        self._obey("delete", key)
        super().delete(key)

    def list(self, prefix: str = "") -> Iterator[ObjectHead]:
        self._obey("list", prefix)
        return super().list(prefix)

    def presigned_url(self, key: str, expires_s: int = 3600) -> str | None:
        self._obey("presigned_url", key)
        return super().presigned_url(key, expires_s)

    def _obey(self, operation: str, key: str) -> None:
        job_id, step = _present_step()
        self._orders.obey(job_id, step, operation, key.rpartition("/")[2])


def _present_step() -> tuple[str | None, str | None]:
    """Partition and key of the Dagster step that calls this: Dagster's frames further up hold its context. None outside of steps."""
    frame = sys._getframe(1)
    while frame is not None:
        context = frame.f_locals.get("step_context")
        if context is not None:
            return context.dagster_run.tags.get(PARTITION), context.step.key
        frame = frame.f_back
    return None, None


def _sabotaged(settings: Settings, orders: Orders) -> dg.Definitions:
    @dg.resource
    def objects(context) -> ObedientObjects:
        if context.run is not None:
            orders.obey(context.run.tags.get(PARTITION), "start", "make", "objects")
        return ObedientObjects(settings.folder / "store", orders)

    return build_definitions(settings, resource_overrides={"objects": objects})


defs = _sabotaged(Settings(), Orders(Path(os.environ[FOLDER_VARIABLE])))
