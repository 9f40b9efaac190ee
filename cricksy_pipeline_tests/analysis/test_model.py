"""The pose model: the same bytes from any source, checked, cached, and a clear word where it cannot be had."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from cricksy_pipeline.analysis import model_bundle
from cricksy_pipeline.analysis.model import ensure_model, model_identity
from cricksy_pipeline.analysis.model_sources import FINGERPRINTS, OFFICIAL, VARIANTS, RawNetworks, SourceFailed, from_npm, from_python_index
from cricksy_pipeline.errors import CricksyError, ErrorCode


@pytest.fixture(scope="module")
def raw(pose_model) -> RawNetworks:
    """The networks of the cached bundle, as if a source had sent them (already without segmentation head)."""
    with zipfile.ZipFile(pose_model.path) as bundle:
        return RawNetworks(bundle.read(model_bundle.DETECTOR_ENTRY), bundle.read(model_bundle.LANDMARK_ENTRY))


def failing(reason: str):
    def source(variant: str) -> RawNetworks:
        raise SourceFailed(reason)

    return source


def test_the_cached_bundle_is_the_right_model_and_its_hash_is_true(pose_model):
    assert hashlib.sha256(pose_model.path.read_bytes()).hexdigest() == pose_model.sha256
    with zipfile.ZipFile(pose_model.path) as bundle:
        assert bundle.namelist() == [model_bundle.DETECTOR_ENTRY, model_bundle.LANDMARK_ENTRY]
        for entry, part in ((model_bundle.DETECTOR_ENTRY, "detector"), (model_bundle.LANDMARK_ENTRY, "full")):
            assert model_bundle.fingerprint(model_bundle.read_network(bundle.read(entry))) == FINGERPRINTS[part]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_identity_of_the_networks_changes_with_either_of_them_and_with_nothing_else(variant, monkeypatch):
    before = {name: model_identity(name) for name in VARIANTS}
    assert len(set(before.values())) == len(VARIANTS)

    with monkeypatch.context() as patch:
        patch.setitem(FINGERPRINTS, variant, "0" * 64)
        assert {name for name in VARIANTS if model_identity(name) != before[name]} == {variant}
    with monkeypatch.context() as patch:
        patch.setitem(FINGERPRINTS, "detector", "0" * 64)
        assert all(model_identity(name) != before[name] for name in VARIANTS)


def test_only_a_model_has_an_identity():
    with pytest.raises(ValueError, match="no pose model is called 'detector'"):
        model_identity("detector")


def test_the_same_networks_give_the_same_bytes(tmp_path, raw, pose_model):
    made = ensure_model(tmp_path, sources={"here": lambda variant: raw})
    assert made.sha256 == pose_model.sha256
    assert made.path.read_bytes() == pose_model.path.read_bytes()


def test_a_second_call_asks_nobody(tmp_path, raw):
    first = ensure_model(tmp_path, sources={"here": lambda variant: raw})
    assert ensure_model(tmp_path, sources={"gone": failing("gone")}) == first


def test_a_damaged_bundle_is_fetched_again(tmp_path, raw):
    first = ensure_model(tmp_path, sources={"here": lambda variant: raw})
    data = bytearray(first.path.read_bytes())
    data[len(data) // 2] ^= 1
    first.path.write_bytes(data)
    said = []
    assert ensure_model(tmp_path, sources={"here": lambda variant: raw}, report=said.append) == first
    assert any("asking here" in line for line in said)


def test_the_next_source_is_asked_and_what_happened_is_said(tmp_path, raw):
    said = []
    ensure_model(tmp_path, sources={"a closed door": failing("no route"), "an open one": lambda variant: raw}, report=said.append)
    assert any("a closed door" in line and "no route" in line for line in said)


def test_when_nothing_serves_every_source_and_reason_is_named(tmp_path):
    with pytest.raises(CricksyError) as caught:
        ensure_model(tmp_path, sources={"first": failing("no route"), "second": failing("wrong hash")})
    assert caught.value.code == ErrorCode.INTERNAL
    assert all(word in caught.value.message for word in ("first: no route", "second: wrong hash"))


def test_another_network_is_not_taken_for_ours(tmp_path, raw):
    weights = bytearray(raw.landmarks)
    weights[len(weights) // 2] ^= 0x40
    for wrong in (RawNetworks(raw.landmarks, raw.landmarks), RawNetworks(raw.detector, bytes(weights)), RawNetworks(b"<html>", b"<html>")):
        with pytest.raises(CricksyError):
            ensure_model(tmp_path, sources={"wrong": lambda variant, wrong=wrong: wrong})
        assert not list(tmp_path.glob("*.task"))


def test_several_at_once_fetch_once(tmp_path, raw):
    asked = []

    def source(variant: str) -> RawNetworks:
        asked.append(variant)
        return raw

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: ensure_model(tmp_path, sources={"here": source}), range(4)))
    assert len(asked) == 1
    assert len(set(made)) == 1


def test_an_unknown_variant_is_refused(tmp_path):
    with pytest.raises(ValueError, match="lite"):
        ensure_model(tmp_path, "gigantic")


def test_fetching_does_not_load_the_pose_library(pose_model):
    code = (
        "import sys, pathlib; from cricksy_pipeline.analysis import model, model_bundle\n"
        f"model.main([{str(pose_model.path.parent)!r}]); model_bundle._schema('schema_py_generated')\n"
        "assert not {'mediapipe', 'cv2', 'av'} & set(sys.modules), sys.modules.keys()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert pose_model.sha256[:12] in done.stdout


def test_the_command_says_how_it_is_used():
    done = subprocess.run([sys.executable, "-m", "cricksy_pipeline.analysis.model"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "CACHE_DIR" in done.stderr


def test_the_official_address_names_the_variant():
    assert OFFICIAL.format("heavy").endswith("pose_landmarker_heavy.task")


@pytest.mark.slow
@pytest.mark.parametrize("source", [from_npm, from_python_index])
def test_each_registry_gives_the_same_bundle(tmp_path, pose_model, source):
    try:
        made = ensure_model(tmp_path, sources={"registry": source})
    except CricksyError as error:
        pytest.skip(f"the registry cannot be reached: {error}")
    assert made.sha256 == pose_model.sha256
