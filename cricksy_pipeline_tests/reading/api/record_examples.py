"""The examples of the published API description, recorded from a running stack: a real video, from its session to its findings.

    python -m cricksy_pipeline_tests.reading.api.record_examples http://127.0.0.1:8000 clip.mp4

Belongs here: the walk, and cutting long lists short. Does not belong here: what an example must be (`test_openapi`). Run it where the
shape of an answer has changed; the documents are those of the stack, whatever it found.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import httpx

import cricksy_pipeline.reading.api as api

ROOT = "/api/coaches/plus"
FOLDER = Path(api.__file__).parent / "examples"
MOST_ITEMS = 2
"""Of a list inside a document."""
MOST_CHARACTERS = 400
DOCUMENTS = ("quick_results", "quick_findings", "quick_report", "deep_results", "deep_findings", "deep_report")


def cut(value: Any) -> Any:
    """The value with long lists and texts cut short."""
    if isinstance(value, dict):
        return {key: cut(item) for key, item in value.items()}
    if isinstance(value, list):
        return [cut(item) for item in value[:MOST_ITEMS]]
    return value[:MOST_CHARACTERS] if isinstance(value, str) else value


def job_example(read: dict[str, Any]) -> dict[str, Any]:
    """A job as it was read, with its documents cut. Of the results only what stands in no other field."""
    documents = {name: cut(read[name]) for name in DOCUMENTS if read[name]}
    for name in ("quick_results", "deep_results"):
        if name in documents:
            kept = ("pose_summary", "meta", "outputs")
            documents[name] = {key: documents[name][key] for key in kept if key in documents[name]}
    return {**read, **documents}


def send(client: httpx.Client, upload: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Send the parts and complete."""
    for part in upload["parts"]:
        piece = content[part["offset"] :][: part["size"]]
        httpx.put(client.base_url.join(part["url"]), content=piece, headers=upload["headers"]).raise_for_status()
    return client.post(f"{ROOT}/videos/upload/{upload['id']}/complete").raise_for_status().json()


def failed(client: httpx.Client, video: Path) -> dict[str, Any]:
    """The job of a video that breaks off after its first bytes."""
    content = video.read_bytes()[:2000]
    said = {"file_name": "broken.mp4", "size_bytes": len(content), "analysis_mode": "batting"}
    upload = client.post(f"{ROOT}/videos/upload/initiate", json=said).raise_for_status().json()
    send(client, upload, content)
    while (read := client.get(f"{ROOT}/analysis-jobs/{upload['job_id']}").json())["status"] != "failed":
        time.sleep(0.3)
    return read


def walk(client: httpx.Client, video: Path) -> dict[str, dict[str, Any]]:
    """Every example, by model and name."""
    found: dict[str, dict[str, Any]] = {}

    def keep(model: str, name: str, value: Any) -> Any:
        found.setdefault(model, {})[name] = value
        return value

    def call(method: str, path: str, **said: Any) -> Any:
        answer = client.request(method, ROOT + path, **said)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    said = {"title": "Tuesday nets", "analysis_context": "batting", "camera_view": "side", "notes": "Into the wind.", "blur_faces": True}
    session = call("POST", "/sessions", json=keep("NewSession", "nets", said))
    said = {"session_id": session["id"], "file_name": video.name, "size_bytes": video.stat().st_size, "analysis_mode": "batting"}
    upload = call("POST", "/videos/upload/initiate", json=keep("NewUpload", "begun", said))
    keep("UploadRead", "begun", upload)
    keep("UploadCompleted", "complete", send(client, upload, video.read_bytes()))
    job = f"/analysis-jobs/{upload['job_id']}"
    keep("VideoAnalysisJobRead", "queued", call("GET", job))
    while (read := call("GET", job))["status"] not in ("done", "failed"):
        if read["status"] in ("quick_running", "quick_done", "deep_running"):
            keep("VideoAnalysisJobRead", read["status"], job_example(read))
        time.sleep(0.3)
    keep("VideoAnalysisJobRead", read["status"], job_example(read))
    keep("VideoAnalysisJobRead", "failed", failed(client, video))
    keep("JobPageRead", "newest", call("GET", "/analysis-jobs", params={"limit": 1}))
    keep("SessionRead", "analysed", call("GET", f"/sessions/{session['id']}"))
    keep("SessionPageRead", "newest", call("GET", "/sessions", params={"limit": 1}))
    keep("SessionChange", "consent", {"consent_given": True, "consent_by": "A. Player", "consent_at": "2026-03-03T18:00:00Z"})
    keep("Said", "second_person", {"subject": 2})
    keep("NewAnalysis", "as_bowling", {"analysis_mode": "bowling"})
    keep("Problem", "not_there", client.get(f"{ROOT}/sessions/nobody-knows-it").json())
    return found


def main() -> int:
    """Record and write."""
    base, video = sys.argv[1:]
    with httpx.Client(base_url=base, timeout=60) as client:
        for model, named in walk(client, Path(video)).items():
            path = FOLDER / f"{model}.json"
            path.write_text(json.dumps(named, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"{path.name}: {', '.join(named)} ({path.stat().st_size:,} bytes)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
