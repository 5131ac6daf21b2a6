"""The embedded PostgreSQL: nothing to install, durable, for one machine.

The server runs as a child of whoever starts it. As root, which PostgreSQL refuses, it runs as an unprivileged user
in a folder of its own that this user can reach.
"""

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from services.binaries import OWNER, PORT, EmbeddedError, Place, place_for

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
SMALL_MACHINE = {"max_connections": "150", "shared_buffers": "128MB", "timezone": "UTC", "log_timezone": "UTC"}


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
