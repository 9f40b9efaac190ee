"""Where the pose networks can be fetched from.

Belongs here: the three public sources, each a function that returns the raw networks or says why it could not, and the hashes that say that
they are the right ones. Does not belong here: the bundle (`model_bundle`), the cache (`model`).

Nothing is trusted for where it came from: archives are checked by SHA-256, networks by their fingerprint (`model_bundle.fingerprint`).
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

VARIANTS = ("lite", "full", "heavy")

FINGERPRINTS = {
    "detector": "939bfb2c1b000b38b5f68e8b843defc46744e7301eaa68bc24aa90e5557d8b25",
    "lite": "a02823ece157525309c70e74b85fc1bb1a34c8113f276246eda7bcfd38cab9e0",
    "full": "28d8267c5cd5b0618f391ed4ab04a4b3c3c2a6d009037fa93e99f5ba3d9c64ec",
    "heavy": "9a382779827723885be1ccd0541ef653c73ed22e41bfdbf5171e519ad62e3670",
}
"""Of the networks (the landmark ones without their segmentation head) in the npm package below; the wheel's are the same, differently
packed."""

OFFICIAL = "https://storage.googleapis.com/mediapipe-models/pose_landmarker/pose_landmarker_{0}/float16/1/pose_landmarker_{0}.task"

NPM_PACKAGE, NPM_VERSION = "@mediapipe/pose", "0.5.1675469404"
NPM_SHA256 = "8bb349a7b3a3ba699df23be804ddd3b3eab810b50b15406894be257859388a84"
NPM_REGISTRY = "https://registry.npmjs.org/"

WHEEL = "mediapipe==0.10.21"
WHEEL_SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
WHEEL_PLATFORM = ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")
"""The wheel is opened as an archive, never installed: its platform need not be this one."""

_CONNECT_S, _TOTAL_S = 5, 300


@dataclass(frozen=True)
class RawNetworks:
    """Two TFLite files: the detector of people and the network that places landmarks."""

    detector: bytes
    landmarks: bytes


class SourceFailed(Exception):
    """A source gave nothing usable; the message says why, in one line."""


def from_official(variant: str) -> RawNetworks:
    """The bundle that Google publishes; reachable only where the internet is open."""
    data = _get(OFFICIAL.format(variant), limit=60_000_000)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            return RawNetworks(bundle.read("pose_detector.tflite"), bundle.read("pose_landmarks_detector.tflite"))
    except (zipfile.BadZipFile, KeyError) as error:
        raise SourceFailed(f"what came back is not the published bundle ({error})") from error


def from_npm(variant: str) -> RawNetworks:
    """The npm package of the older JavaScript solution: through the npm client where there is one (it knows its registry), else plain
    HTTPS."""
    try:
        data = _npm_pack() if shutil.which("npm") else _npm_download(NPM_REGISTRY)
    except SourceFailed:
        if not shutil.which("npm"):
            raise
        data = _npm_download(NPM_REGISTRY)
    _demand(data, NPM_SHA256)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        detector = archive.extractfile("package/pose_solution_packed_assets.data").read()
        return RawNetworks(detector, archive.extractfile(f"package/pose_landmark_{variant}.tflite").read())


def from_python_index(variant: str) -> RawNetworks:
    """An older mediapipe wheel, which still carried the full network; pip knows its index."""
    if variant != "full":
        raise SourceFailed(f"the wheel holds the full network only, not {variant}")
    with tempfile.TemporaryDirectory(prefix="cricksy-model-") as folder:
        _call(
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *WHEEL_PLATFORM, "--dest", folder, WHEEL
        )
        data = _only_file(Path(folder), "*.whl")
    _demand(data, WHEEL_SHA256)
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        return RawNetworks(
            wheel.read("mediapipe/modules/pose_detection/pose_detection.tflite"),
            wheel.read(f"mediapipe/modules/pose_landmark/pose_landmark_{variant}.tflite"),
        )


SOURCES: dict[str, Callable[[str], RawNetworks]] = {
    "the published bundle": from_official,
    "the npm package": from_npm,
    "the Python package": from_python_index,
}
"""Name and function of each source, in the order in which they are tried."""


def _npm_pack() -> bytes:
    with tempfile.TemporaryDirectory(prefix="cricksy-model-") as folder:
        _call("npm", "pack", "--silent", "--pack-destination", folder, f"{NPM_PACKAGE}@{NPM_VERSION}")
        return _only_file(Path(folder), "*.tgz")


def _npm_download(registry: str) -> bytes:
    name = NPM_PACKAGE.partition("/")[2]
    return _get(f"{registry.rstrip('/')}/{NPM_PACKAGE}/-/{name}-{NPM_VERSION}.tgz", limit=60_000_000)


def _only_file(folder: Path, pattern: str) -> bytes:
    files = list(folder.glob(pattern))
    if len(files) != 1:
        raise SourceFailed("the client ended well but left no archive")
    return files[0].read_bytes()


def _call(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TOTAL_S, stdin=subprocess.DEVNULL, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceFailed(f"{Path(command[0]).name}: {error}") from error
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise SourceFailed(f"{' '.join((Path(command[0]).name, *command[1:4]))} failed: {lines[-1].strip() if lines else done.returncode}")


def _get(url: str, limit: int) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_CONNECT_S) as answer:
            data = answer.read(limit + 1)
    except (urllib.error.URLError, OSError) as error:
        raise SourceFailed(f"{url}: {getattr(error, 'reason', error)}") from error
    if len(data) > limit:
        raise SourceFailed(f"{url} is larger than {limit} bytes")
    return data


def _demand(data: bytes, sha256: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise SourceFailed(f"the archive's SHA-256 is {found}, expected {sha256}")
