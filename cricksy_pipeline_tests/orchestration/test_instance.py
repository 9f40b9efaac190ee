"""Dagster's own records: every process of one `dagster dev` must find the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys

OPEN = """
import json
from cricksy_pipeline.orchestration.instance import EnvStorage
log = EnvStorage.from_config_value(None, {}).event_log_storage
"""
ADD = OPEN + "log.add_dynamic_partitions('videos', ['a-job'])"
ASK = OPEN + "print(json.dumps(log.get_dynamic_partitions('videos')))"


def test_without_a_home_two_processes_share_one_storage_in_the_data_folder(tmp_path):
    plain = {name: value for name, value in os.environ.items() if name not in ("DAGSTER_HOME", "CRICKSY_DAGSTER_DATABASE_URL")}
    environment = {**plain, "CRICKSY_DATA_DIR": str(tmp_path / "data")}
    subprocess.run([sys.executable, "-c", ADD], env=environment, check=True)
    told = subprocess.run([sys.executable, "-c", ASK], env=environment, check=True, capture_output=True, text=True)
    assert json.loads(told.stdout) == ["a-job"]
    assert (tmp_path / "data" / "dagster" / "storage").is_dir()
