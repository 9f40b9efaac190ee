"""The real pipeline over a real database and a real folder, run inside the test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from cricksy_pipeline.orchestration import looking
from cricksy_pipeline.orchestration import stage as stage_module
from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.sample.clip import ClipSpec, write_clip
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import VideoAnalysisJob
from cricksy_pipeline.store.objects import ObjectStore
from cricksy_pipeline.store.submissions import Submission, submit


@dataclass
class Pipeline:
    """Submits and runs, with whatever database and store it is given."""

    settings: Settings
    jobs: JobStore
    objects: ObjectStore
    instance: dg.DagsterInstance

    def submit(self, video: Path, mode: str = "batting", **options) -> str:
        return submit(Submission(video, mode, "a test", **options), self.jobs, self.objects)

    def run(self, job_id: str, *, only: list[str] | None = None, tags: dict[str, str] | None = None) -> dg.ExecuteInProcessResult:
        self.instance.add_dynamic_partitions(videos.name, [job_id])
        definitions = build_definitions(self.settings, resource_overrides={"jobs": self.jobs, "objects": self.objects})
        job = definitions.resolve_job_def(analysis.name)
        selection = [dg.AssetKey(name) for name in only] if only else None
        return job.execute_in_process(
            instance=self.instance, partition_key=job_id, raise_on_error=False, asset_selection=selection, tags=tags
        )

    def analyse(self, video: Path, mode: str = "batting", **options) -> tuple[VideoAnalysisJob, dg.ExecuteInProcessResult]:
        job_id = self.submit(video, mode, **options)
        result = self.run(job_id)
        return self.jobs.get(job_id), result

    def log(self, result: dg.ExecuteInProcessResult) -> str:
        """Every line of the run's log, as an operator would search it."""
        return "\n".join(entry.user_message for entry in self.instance.all_logs(result.run_id))


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """As many further tries as in the product, without the pauses."""
    hurried = {code: (0.01,) * len(pauses) for code, pauses in stage_module.AGAIN_AFTER_S.items()}
    monkeypatch.setattr(stage_module, "AGAIN_AFTER_S", hurried)


@pytest.fixture(autouse=True)
def no_leftover_storage():
    """Dagster remembers the state storage of the last instance in a variable of the process, also where instances do not end in the order
    in which they began; a later test would then look into a folder that is gone."""
    from dagster._core.storage.defs_state import base

    base._current_storage.set(None)


@pytest.fixture(scope="session")
def dagster_instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def pipeline(job_store, local_store, dagster_instance) -> Pipeline:
    return Pipeline(Settings(), job_store, local_store, dagster_instance)


@pytest.fixture
def pipeline_with(job_store, local_store, dagster_instance) -> Callable[..., Pipeline]:
    """A pipeline whose database or store is another one."""
    return lambda jobs=job_store, objects=local_store: Pipeline(Settings(), jobs, objects, dagster_instance)


@pytest.fixture(scope="session")
def empty_net(tmp_path_factory) -> Path:
    """Two seconds of an empty net: nobody to be found."""
    path = tmp_path_factory.mktemp("clips") / "empty_net.mp4"
    write_clip(ClipSpec(seconds=2, fps=15, width=320, height=180, player=False), path, workers=1)
    return path


@pytest.fixture(scope="session")
def glimpse(tmp_path_factory) -> Path:
    """One second of a batter: found in every frame, too short to measure anything. The cheapest run there is."""
    path = tmp_path_factory.mktemp("clips") / "glimpse.mp4"
    write_clip(ClipSpec(seconds=1, fps=15, width=320, height=180), path, workers=1)
    return path


@pytest.fixture
def looks(monkeypatch) -> list[str]:
    """The looks into a video while the test runs: what costs."""
    taken: list[str] = []
    for name in ("look_quickly", "look_deeply"):
        look = getattr(looking, name)
        monkeypatch.setattr(looking, name, lambda *a, _name=name, _look=look, **k: (taken.append(_name), _look(*a, **k))[1])
    return taken
