"""The pose model on disk: got once, checked always, never committed.

Belongs here: `PoseModel`, what identifies its networks, the cache, the order of sources, and the command
`python -m cricksy_pipeline.analysis.model CACHE_DIR [VARIANT]`.
Does not belong here: how a source is asked (`model_sources`), how a bundle is built (`model_bundle`), how the model is used
(`pose_process`).
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cricksy_pipeline.analysis.model_sources import FINGERPRINTS, SOURCES, VARIANTS, RawNetworks, SourceFailed
from cricksy_pipeline.errors import CricksyError, ErrorCode


@dataclass(frozen=True)
class PoseModel:
    """A bundle that PoseLandmarker can load.

    Attributes:
        path: the .task file.
        sha256: of the file; part of every result, since another model gives other numbers.
        variant: lite, full or heavy.
        device: where it runs, cpu or gpu. No part of what identifies it: the answers are the same but for rounding.
    """

    path: Path
    sha256: str
    variant: str
    device: Literal["cpu", "gpu"] = "cpu"

    @property
    def name(self) -> str:
        """What a result says it was seen by, e.g. "blazepose-full", "blazepose-full on gpu"."""
        return f"blazepose-{self.variant}" + (" on gpu" if self.device == "gpu" else "")


def model_identity(variant: str) -> str:
    """Which networks `ensure_model` stands for, known without having them: e.g. "blazepose-full 939bfb2c1b00 28d8267c5cd5".

    The detector's and the landmark network's fingerprints, by which fetched ones are accepted; `PoseModel.sha256` is of the file that
    holds both. Raises ValueError for an unknown variant.
    """
    _demand_variant(variant)
    return f"blazepose-{variant} {FINGERPRINTS['detector'][:12]} {FINGERPRINTS[variant][:12]}"


@dataclass(frozen=True)
class Networks:
    """Which networks a deployment looks with, each as `model_identity` says it.

    Attributes:
        measuring: sees the quick pass, and every frame around a delivery.
        finding: sees the rest of the grid, where deliveries are sought.
    """

    measuring: str
    finding: str


def networks_identity(measuring: str, finding: str) -> Networks:
    """As `model_identity`, of both variants. Raises ValueError for an unknown one."""
    return Networks(model_identity(measuring), model_identity(finding))


def ensure_model(
    cache: Path,
    variant: str = "full",
    *,
    report: Callable[[str], None] | None = None,
    sources: Mapping[str, Callable[[str], RawNetworks]] = SOURCES,
) -> PoseModel:
    """The model from the cache, or fetched, checked, built and put there. Safe to call from several processes at once.

    Args:
        cache: folder for the bundle and its hash; made where it is missing.
        variant: lite, full or heavy.
        report: told in words what happens; None for silence.
        sources: name and function of what to try, in order.

    Raises:
        CricksyError: INTERNAL, naming every source and why it failed.
        ValueError: an unknown variant.
    """
    _demand_variant(variant)
    say = report or (lambda _: None)
    cache = Path(cache)
    cached = _cached(cache, variant)
    if cached:
        say(f"pose model {variant}: {cached.path} (SHA-256 {cached.sha256[:12]})")
        return cached
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f".{variant}.lock"):
        cached = _cached(cache, variant)  # another process may have finished meanwhile
        model = cached or _fetch(cache, variant, say, sources)
    say(f"pose model {variant}: {model.path} (SHA-256 {model.sha256[:12]})")
    return model


def _demand_variant(variant: str) -> None:
    if variant not in VARIANTS:
        raise ValueError(f"no pose model is called {variant!r}; there are {', '.join(VARIANTS)}")


def _bundle_path(cache: Path, variant: str) -> Path:
    # The networks' fingerprint is in the name: a later version of this code that wants other networks does not find these.
    return cache / f"pose_{variant}_{FINGERPRINTS[variant][:12]}.task"


def _cached(cache: Path, variant: str) -> PoseModel | None:
    path = _bundle_path(cache, variant)
    try:
        promised = path.with_suffix(".sha256").read_text().split()[0]
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, IndexError):
        return None
    return PoseModel(path, found, variant) if found == promised else None


def _fetch(cache: Path, variant: str, say: Callable[[str], None], sources: Mapping[str, Callable[[str], RawNetworks]]) -> PoseModel:
    failures = []
    for name, source in sources.items():
        say(f"pose model {variant}: asking {name}")
        try:
            bundle = _checked_bundle(source(variant), variant)
        except SourceFailed as failure:
            failures.append(f"{name}: {failure}")
            say(f"pose model {variant}: {name} did not serve: {failure}")
            continue
        path = _bundle_path(cache, variant)
        sha256 = hashlib.sha256(bundle).hexdigest()
        _replace(path, bundle)
        _replace(path.with_suffix(".sha256"), f"{sha256}  {path.name}\n".encode())  # last: the pair counts only when both are whole
        return PoseModel(path, sha256, variant)
    raise CricksyError(ErrorCode.INTERNAL, f"the pose model {variant} could not be had from any source. " + "; ".join(failures))


def _checked_bundle(raw: RawNetworks, variant: str) -> bytes:
    from cricksy_pipeline.analysis import model_bundle

    networks = {}
    for part, data in (("detector", raw.detector), (variant, raw.landmarks)):
        try:
            network = model_bundle.read_network(data)
            if part != "detector":
                model_bundle.leave_out_segmentation(network)
            found = model_bundle.fingerprint(network)
        except Exception as error:  # whatever broken bytes do to the reader, the next source is to be tried
            raise SourceFailed(f"its {part} network cannot be read ({type(error).__name__}: {error})") from error
        if found != FINGERPRINTS[part]:
            raise SourceFailed(f"its {part} network is another one (fingerprint {found[:12]}, expected {FINGERPRINTS[part][:12]})")
        networks[part] = network
    return model_bundle.build_bundle(networks["detector"], networks[variant])


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    import fcntl

    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    """Fetch the model named on the command line; 0 when it is there."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m cricksy_pipeline.analysis.model CACHE_DIR [lite|full|heavy]", file=sys.stderr)
        return 2
    try:
        ensure_model(Path(arguments[0]), *arguments[1:], report=print)
    except (CricksyError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
