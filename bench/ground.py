"""Where contests are held: an embedded PostgreSQL, durable as the product starts it, and files of England's size."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from bench.england import Files, Size, write
from migrations import run as migrations
from services import binaries, embedded, keys

ROOT = Path(__file__).parents[1]
VAR = ROOT / "var" / "bench"
PREPARED = "^(b|empty|grouped|registered|national)_[0-9a-f]{12}$"
"""Names of the databases that are made here."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The server of `owner`, the files of a country, and how often each way is run."""

    owner: str
    files: Files
    size: Size
    times: int
    keys_dir: Path

    def database(self, template: str | None = None) -> str:
        """A new database, empty or like a template; gives the owner's address of it."""
        name = f"b_{uuid4().hex[:12]}"
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template or "template0")
            )
        )
        self.execute(sql.SQL("CHECKPOINT"))
        return self.named(name)

    def named(self, name: str) -> str:
        """The owner's address of a database."""
        return make_url(self.owner).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Throw a database away."""
        name = make_url(url).database or ""
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def exists(self, name: str) -> bool:
        """Whether there is a database of this name."""
        with psycopg.connect(plain(self.owner)) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        return found is not None

    def execute(self, statement: sql.SQL | sql.Composed) -> None:
        """One statement as the owner, outside a transaction."""
        with psycopg.connect(plain(self.owner), autocommit=True) as connection:
            connection.execute(statement)

    def migrated(self) -> str:
        """The name of a database with the product's tables and nothing in them; made once for this code."""
        name = f"empty_{code_version(self.files)}"
        if not self.exists(name):
            made = self.database()
            migrations.upgrade(made)
            self.rename(made, name)
        return name

    def rename(self, url: str, name: str) -> None:
        """Give a finished database the name by which it is found again."""
        old = make_url(url).database or ""
        self.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(name)))

    def psql(self, url: str, *commands: str) -> None:
        """Run commands by psql, as people do; raises CalledProcessError when one fails."""
        address = make_url(url)
        host = str(address.query["host"])
        environment = {**os.environ, "PGPASSWORD": str(address.password)}
        words = [str(binaries.binaries() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", host]
        words += ["-p", str(binaries.PORT), "-U", str(address.username), "-d", str(address.database)]
        for command in commands:
            words += ["-c", command]
        subprocess.run(words, env=environment, check=True, capture_output=True)


def plain(url: str) -> str:
    """The address as psycopg takes it."""
    return url.replace("+psycopg", "")


def code_version(files: Files) -> str:
    """A digest of the files and of the code that reads them: prepared databases are kept as long as both stay."""
    digest = hashlib.sha256(files.folder.name.encode())
    for path in sorted([*ROOT.glob("services/outcomes/**/*.py"), *ROOT.glob("migrations/**/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def ground(size: Size, times: int, folder: Path = VAR) -> Iterator[Ground]:
    """The server and the files, for as long as they are needed."""
    files = write(folder, size)
    keys.ensure(folder / "keys")
    with embedded.running(folder / "postgres") as server:
        made = Ground(server.url, files, size, times, folder / "keys")
        if not server.adopted:
            tidy(made)
        yield made


def tidy(made: Ground) -> None:
    """Throw away what a broken run left behind, and what was prepared for other files or code."""
    with psycopg.connect(plain(made.owner)) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname ~ %s", [PREPARED]).fetchall()
    for (name,) in found:
        if not name.endswith(code_version(made.files)):
            made.drop(made.named(name))
