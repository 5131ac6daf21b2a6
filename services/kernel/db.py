"""One transaction a request or job, in a service's own schema, under its own role, bounded by the caller."""

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from pydantic_core import from_json
from sqlalchemy import MetaData, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session as SyncSession
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller

NAMING = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}
UNREACHABLE = (OperationalError, InterfaceError, PoolTimeout, ConnectionError)
"""What SQLAlchemy raises when the database cannot be reached, in contrast to refusing what was asked."""

CONNECT = {"connect_timeout": 5, "options": "-c statement_timeout=60000 -c lock_timeout=10000"}
BOUNDS = text(
    "SELECT set_config('ringfence.kind', :kind, true), set_config('ringfence.organisation', :organisation, true),"
    " set_config('ringfence.trust_uid', :trust_uid, true), set_config('ringfence.urns', :urns, true),"
    " set_config('ringfence.regions', :regions, true), set_config('ringfence.la_codes', :la_codes, true),"
    " set_config('ringfence.client_id', :client_id, true)"
)


class Table(SQLModel):
    """Base of the tables of a service: each service has its own metadata, bound to its own schema."""

    __schema__: ClassVar[str]


def schema_metadata(schema: str) -> MetaData:
    """Metadata whose tables live in `schema` and whose constraints have predictable names."""
    return MetaData(schema=schema, naming_convention=NAMING)


def role_url(service: str, database_url: str | None = None) -> URL:
    """The address under which `service` connects: its own role, in the database of `RINGFENCE_DATABASE_URL`.

    `RINGFENCE_<SERVICE>_DATABASE_URL` is preferred where it is set.

    An address that already names the role is used as it is; the owner's address is turned into the role's, whose
    password is derived from the owner's.
    """
    own = os.environ.get(f"RINGFENCE_{service.upper()}_DATABASE_URL")
    url = make_url(database_url or own or os.environ["RINGFENCE_DATABASE_URL"]).set(drivername="postgresql+psycopg")
    role = f"ringfence_{service}"
    return url if url.username == role else url.set(username=role, password=role_password(url, role))


def role_password(owner: URL, role: str) -> str:
    """The password of a service's role, derived from the owner's; raises ValueError when the owner has none."""
    if not owner.password:
        raise ValueError("RINGFENCE_DATABASE_URL must hold the owner's password, or name the service's own role.")
    return hmac.new(str(owner.password).encode(), role.encode(), hashlib.sha256).hexdigest()


class Database:
    """The connection pool of one service."""

    def __init__(self, service: str, url: URL | None = None, *, pool_size: int = 10) -> None:
        self.service = service
        self.url = url or role_url(service)
        self.engine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=10,
            pool_pre_ping=True,
            connect_args=CONNECT,
            json_deserializer=from_json,
        )
        self.sessions = async_sessionmaker(self.engine, class_=AsyncSession, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator[AsyncSession]:
        """One transaction whose rows are bounded to `caller`; commits at the end, rolls back on any error.

        The connection is taken at the first statement, so a foreign call before that holds nothing open.
        """
        async with self.sessions() as session, session.begin():
            session.sync_session.info["caller"] = caller
            yield session

    async def answers(self) -> bool:
        """Whether the database can be reached now."""
        try:
            async with self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except UNREACHABLE:
            return False
        return True

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()


@event.listens_for(SyncSession, "after_begin")
def bind_caller(session: SyncSession, _transaction: Any, connection: Any) -> None:
    """Tell row-level security who is calling, for this transaction only. Without it no row is visible."""
    caller: Caller | None = session.info.get("caller")
    if caller is not None:
        connection.execute(BOUNDS, caller.bounds())


def violated_constraint(error: IntegrityError) -> str:
    """The name of the constraint that the database enforced."""
    diagnostics = getattr(error.orig, "diag", None)
    return str(getattr(diagnostics, "constraint_name", None) or "")


def is_contention(error: BaseException) -> bool:
    """Whether the database undid a transaction, or refused to wait on, because another one held what it needed."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in {"40001", "40P01", "55P03"}


def is_unreachable(error: BaseException) -> bool:
    """Whether this error means that the database is down, restarting or overloaded (and nothing was committed)."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, UNREACHABLE)
