"""Sessions in every standing, with real rows and real objects, for the pages to show.

Belongs here: making them by the stores' own methods. Does not belong here: serving them (`conftest`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import text

from cricksy_pipeline.analysis.landmark_table import frame_table_to_parquet, to_parquet
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.analysis.video_index import index_video
from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.reading.drawing.pictures import player_picture
from cricksy_pipeline.store.jobs import JobStore, Made
from cricksy_pipeline.store.keys import Output, output_key, upload_key
from cricksy_pipeline.store.local_objects import LocalObjectStore
from cricksy_pipeline_tests.reading.pages.film import landmarks_of, write_counting_film
from cricksy_pipeline_tests.reading.sample_documents import drive_results, nobody_results

RUN = "run-1"
COACH = "local"


@dataclass
class World:
    """The stores, and the job ids by what they show."""

    jobs: JobStore
    objects: LocalObjectStore
    film: Path
    ids: dict[str, str] = field(default_factory=dict)

    def path(self, name: str) -> str:
        """The address of an analysis."""
        return f"/analyses/{self.ids[name]}"


def upload(world: World, title: str, *, coach: str = COACH, mode: str = "batting", film: Path | None = None) -> str:
    """A queued job over the counting film, or another. Returns its id."""
    film = film or world.film
    session = world.jobs.create_session(owner_id=coach, title=title, analysis_context=mode)
    key = upload_key("coach", coach, session, "v1", ".mp4")
    world.objects.put_file(key, film)
    world.jobs.attach_upload(session, s3_bucket=world.objects.bucket, s3_key=key, file_size_bytes=film.stat().st_size)
    return world.jobs.create_job(session, mode, world.objects.bucket, key)


def publish_quick(world: World, job_id: str, results: Any = None) -> None:
    """The first look is there."""
    document = (results or drive_results(job_id, "quick")).model_dump(mode="json")
    world.jobs.claim(job_id, RUN)
    world.jobs.publish_quick(job_id, RUN, document, document["findings"], document["report"], "q.json", _stored(world, job_id, "quick"))


def publish_deep(world: World, job_id: str, results: Any = None) -> None:
    """The whole analysis is there, and done."""
    document = (results or drive_results(job_id)).model_dump(mode="json")
    jobs = world.jobs
    jobs.start_deep(job_id, RUN)
    jobs.publish_deep_results(job_id, RUN, document, "d.json", _stored(world, job_id, "deep"))
    jobs.publish_findings(job_id, RUN, document["findings"], document, "d.json")
    jobs.publish_report(job_id, RUN, document["report"], document, "d.json", "r.pdf")
    jobs.complete(job_id, RUN)


def _stored(world: World, job_id: str, passname: str) -> Made:
    """Frame table, landmarks and pictures of a pass, as the stages store them."""
    key = world.jobs.get(job_id).s3_key or ""
    index = index_video(world.film)
    landmarks = landmarks_of(index)
    grey = np.full((180, 320, 3), 120, np.uint8)
    picture = player_picture(grey, landmarks.xy[0] / 6, landmarks.visibility[0])
    deep = passname == "deep"
    data = {
        Output.FRAMES: frame_table_to_parquet(index, plan_sampling(index)),
        Output.DEEP_FRAMES if deep else Output.QUICK_FRAMES: to_parquet(landmarks),
        Output.PLAYER_IMAGE if deep else Output.QUICK_PLAYER_IMAGE: picture,
        **({Output.DEEP_MOMENTS_IMAGE: picture, Output.REPORT_HTML: b"<!doctype html><title>Report</title>"} if deep else {}),
    }
    objects = {}
    for output, content in data.items():
        place = output_key(key, job_id, output)
        head = world.objects.put(place, content)
        objects[str(output)] = {"key": place, "sha256": head.sha256 or ""}
    return Made({f"{passname}_landmarks": {"inputs": "", "seconds": 1.0, "cpu_s": 1.0}}, objects)


def make_legacy(world: World, job_id: str) -> None:
    """A row as the earlier system left it."""
    old = {
        "findings": {
            "overall_level": "low",
            "findings": [
                {"title": "Head falls to off", "severity": "HIGH", "message": "The head moves 12 cm.", "cues": ["Head over the ball."]}
            ],
        },
        "report": {"summary": "Work on the head first.", "sections": [{"title": "Balance", "body": "It falls away."}]},
        "metrics": {},
    }
    with world.jobs.engine.begin() as connection:
        connection.execute(
            text("UPDATE video_analysis_jobs SET status='completed', stage='DONE', results=cast(:r AS json) WHERE id=:i"),
            {"r": json.dumps({"quick": None, "deep": old}), "i": job_id},
        )


def build(jobs: JobStore, objects: LocalObjectStore, folder: Path) -> World:
    """One job in each standing, oldest first."""
    film = folder / "drives.mp4"
    write_counting_film(film)
    world = World(jobs, objects, film)
    ids = world.ids
    ids["strangers"] = upload(world, "Somebody else's", coach="c2")
    ids["legacy"] = upload(world, "Spring 2023, as it was")
    make_legacy(world, ids["legacy"])
    ids["earlier"] = upload(world, "Last month's nets")
    publish_quick(world, ids["earlier"])
    publish_deep(world, ids["earlier"])
    late = folder / "late.mp4"
    write_counting_film(late, starts_at_s=0.4)
    ids["late"] = upload(world, "A clock of its own", film=late)
    publish_quick(world, ids["late"])
    publish_deep(world, ids["late"])
    ids["failed"] = upload(world, "A damaged file")
    jobs.fail_unclaimed(ids["failed"], ErrorCode.VIDEO_CORRUPT, "The file ends after 0.4 s of 13.0 s.")
    ids["lost"] = upload(world, "The machine went away")
    jobs.fail_unclaimed(ids["lost"], ErrorCode.WORKER_LOST, "run 5f3 on host ip-10-0-0-3 vanished")
    ids["nobody"] = upload(world, "An empty net")
    publish_quick(world, ids["nobody"], nobody_results(ids["nobody"]))
    publish_deep(world, ids["nobody"], nobody_results(ids["nobody"]))
    ids["queued"] = upload(world, "Just arrived")
    ids["running"] = upload(world, "Under way")
    jobs.claim(ids["running"], RUN)
    jobs.progress(ids["running"], RUN, 22)
    ids["preliminary"] = upload(world, "First look ready")
    publish_quick(world, ids["preliminary"])
    ids["done"] = upload(world, "Tuesday nets, Asha")
    publish_quick(world, ids["done"])
    publish_deep(world, ids["done"])
    return world
