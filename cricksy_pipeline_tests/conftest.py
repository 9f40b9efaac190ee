"""Real parts for every room's tests: one PostgreSQL for each process of a session, a migrated database per test, S3 over HTTP, a folder.

Belongs here: fixtures that more than one room needs. Does not belong here: helpers of one room's tests.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from cricksy_pipeline.store import embedded
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.migrate import migrate
from cricksy_pipeline.store.objects import LocalObjectStore, S3ObjectStore

TEMPLATE = "cricksy_template"


def pytest_configure(config: pytest.Config) -> None:
    """Ctrl-C that a shell's `&` had this process ignore would be ignored by every child; and after a run in this process Dagster gives
    SIGTERM whatever SIGINT had: children born later could not be stopped by it either."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[embedded.EmbeddedServer]:
    """One embedded server in a short temporary folder, without fsync."""
    folder = Path(tempfile.mkdtemp(prefix="cricksy-test-"))
    server = embedded.start(folder / "pg", durable=False)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_database(postgres: embedded.EmbeddedServer) -> Callable[[], contextlib.AbstractContextManager[str]]:
    """A maker of empty databases, each dropped at the end of its block: `with empty_database() as url`."""
    return lambda: _database(postgres)


@pytest.fixture(scope="session")
def _migrated_template(postgres: embedded.EmbeddedServer) -> str:
    migrate(postgres.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(postgres: embedded.EmbeddedServer, _migrated_template: str) -> Iterator[str]:
    """Address of a migrated database of this test's own. A copy of a template (tens of milliseconds), dropped afterwards."""
    with _database(postgres, template=_migrated_template) as url:
        yield url


@pytest.fixture
def job_store(database_url: str) -> Iterator[JobStore]:
    """The job rows of a fresh, migrated database."""
    engine = make_engine(database_url)
    yield JobStore(engine)
    engine.dispose()


@pytest.fixture
def local_store(tmp_path: Path) -> LocalObjectStore:
    """An empty folder as object store."""
    return LocalObjectStore(tmp_path / "objects")


@pytest.fixture(scope="session")
def s3_client():
    """A boto3 client of an S3 server that runs in a thread and speaks HTTP; nothing leaves the machine."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    server.stop()


@pytest.fixture
def s3_store(s3_client) -> S3ObjectStore:
    """An empty bucket."""
    bucket = f"cricksy-{uuid4().hex}"
    s3_client.create_bucket(Bucket=bucket)
    return S3ObjectStore(s3_client, bucket)


@contextlib.contextmanager
def _database(server: embedded.EmbeddedServer, template: str = "template0") -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    _administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield server.url(name)
    finally:
        _administer(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _administer(server: embedded.EmbeddedServer, statement: str) -> None:
    import psycopg2

    with contextlib.closing(psycopg2.connect(host=str(server.socket_dir), user="postgres", dbname="postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
