"""The driver itself, for the statements of every small request: the engine takes more than twice as long."""

import asyncio
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads
from pydantic_core import from_json
from sqlalchemy.exc import DBAPIError

from services.kernel.db import CONNECT, Database

CONNECTIONS = 10


class Wire:
    """Connections on which each statement is a transaction of its own, in one round trip, for nobody's rows.

    A statement must change nothing, or nothing twice: on a connection that turns out to be dead it is sent again.
    Errors are those of SQLAlchemy, so that they mean the same everywhere.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.idle: list[psycopg.AsyncConnection[DictRow]] = []
        self.room = asyncio.Semaphore(CONNECTIONS)

    async def rows(self, statement: str, values: Mapping[str, Any]) -> list[DictRow]:
        """The rows that a statement gives."""
        async with self.room:
            connection = self.idle.pop() if self.idle else None
            if connection is not None:
                try:
                    return await self.sent(connection, statement, values)
                except DBAPIError as error:
                    if not error.connection_invalidated:
                        raise
                    await self.close()
            return await self.sent(await self.connected(), statement, values)

    async def sent(
        self, connection: psycopg.AsyncConnection[DictRow], statement: str, values: Mapping[str, Any]
    ) -> list[DictRow]:
        """Send a statement; the connection is kept for the next unless it has died or the answer was not awaited."""
        try:
            cursor = await connection.execute(statement, values, prepare=True, binary=True)
            found = await cursor.fetchall()
        except psycopg.Error as error:
            dead = connection.broken or connection.closed
            if not dead:
                self.idle.append(connection)
            raise as_engine(error, dead=dead) from error
        except BaseException:
            await connection.close()
            raise
        self.idle.append(connection)
        return found

    async def connected(self) -> psycopg.AsyncConnection[DictRow]:
        """A new connection."""
        _, values = self.database.engine.dialect.create_connect_args(self.database.url)
        try:
            connection = await psycopg.AsyncConnection.connect(
                autocommit=True,
                row_factory=dict_row,
                **values,
                **CONNECT,  # type: ignore[arg-type]
            )
        except psycopg.Error as error:
            raise as_engine(error, dead=True) from error
        set_json_loads(from_json, connection)
        return connection

    async def close(self) -> None:
        """Give the connections back that are not in use."""
        idle, self.idle = self.idle, []
        for connection in idle:
            await connection.close()


def as_engine(error: psycopg.Error, *, dead: bool) -> BaseException:
    """The error that the engine would raise for one of the driver's; it shows no values."""
    return DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=dead)
