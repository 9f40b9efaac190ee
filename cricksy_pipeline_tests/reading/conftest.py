"""The API over a real database and a real folder, asked by HTTP inside the test process."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from cricksy_pipeline.reading.api.app import create_app


@pytest.fixture
def client(job_store, local_store):
    with TestClient(create_app(jobs=job_store, objects=local_store), raise_server_exceptions=False) as made:
        yield made
