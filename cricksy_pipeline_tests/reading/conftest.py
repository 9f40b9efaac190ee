"""The API over a real database and a real folder, asked by HTTP inside the test process."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from cricksy_pipeline.reading.api.app import create_app
from cricksy_pipeline_tests.reading.signed_in import bearer, strict_access


@pytest.fixture
def client(job_store, local_store):
    """Asks as the coach `c1`, by a bearer token."""
    app = create_app(jobs=job_store, objects=local_store, access=strict_access())
    with TestClient(app, raise_server_exceptions=False, headers=bearer("c1")) as made:
        yield made
