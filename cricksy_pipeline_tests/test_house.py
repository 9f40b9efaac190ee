"""The house itself: who may import whom, what an import costs, that every file names the same code location."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from cricksy_pipeline.errors import CODE_FACTS, ErrorCode

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=180)


def test_imports_point_one_way():
    result = run("-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))")

    assert result.returncode == 0, result.stdout


def test_importing_the_code_location_loads_no_vision_library_and_no_pandas():
    code = "import json, sys, cricksy_pipeline.definitions; print(json.dumps(sorted(sys.modules)))"

    loaded = set(json.loads(run("-c", code).stdout))

    assert "cricksy_pipeline.orchestration.assets.deep_results" in loaded
    assert not loaded & {"cv2", "av", "mediapipe", "pandas", "pyarrow", "matplotlib", "scipy", "boto3", "fastapi"}


def test_workspace_and_pyproject_name_one_code_location():
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"][0]["python_module"]
    tool = PYPROJECT["tool"]

    assert workspace["module_name"] == tool["dagster"]["module_name"] == tool["dg"]["project"]["code_location_target_module"]
    assert workspace["location_name"] == tool["dagster"]["code_location_name"] == tool["dg"]["project"]["code_location_name"]


def test_setup_py_is_only_a_shim():
    code = [line for line in (ROOT / "setup.py").read_text().splitlines() if line and not line.startswith(("#", '"""'))]

    assert code == ["from setuptools import setup", "setup()"]


def test_opencv_and_its_contrib_build_are_pinned_to_one_version():
    pins = dict(d.split("==") for d in PYPROJECT["project"]["dependencies"] if d.startswith("opencv"))

    assert set(pins) == {"opencv-python", "opencv-contrib-python"}
    assert len(set(pins.values())) == 1


@pytest.mark.parametrize("command", [("-m", "dagster", "definitions", "validate"), ("-m", "dagster_dg_cli.cli", "check", "defs")])
def test_dagsters_own_validators_pass(command, tmp_path, monkeypatch):
    shutil.copyfile(ROOT / "dagster.yaml", tmp_path / "dagster.yaml")  # without it Dagster reports to its maker
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

    result = run(*command)

    assert result.returncode == 0, result.stdout + result.stderr


def test_every_error_code_has_facts_and_a_runbook_entry():
    runbook = (ROOT / "docs" / "runbook.md").read_text()

    assert set(CODE_FACTS) == set(ErrorCode)
    for code, facts in CODE_FACTS.items():
        kind = "transient" if facts.transient else "permanent"
        assert f"| `{code}` | {kind} |" in runbook


def test_generated_pages_are_current():
    result = run("docs/generate.py", "--check")

    assert result.returncode == 0, result.stdout


def test_nothing_committed_names_a_machine_path_or_a_registry_host():
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    forbidden = ["/" + "work/", "/" + "root/", "file:///" + "opt"]
    for name in filter(None, files):
        path = ROOT / name
        if path.suffix in {".png", ".mp4", ".ico"} or not path.exists():
            continue
        text = path.read_text(errors="replace")
        assert not [word for word in forbidden if word in text], name
