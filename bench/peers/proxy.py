"""The least that anything between a caller and a service can do: bytes handed on, in both directions, unread."""

import asyncio
import sys
from typing import cast

import uvloop


class End(asyncio.Protocol):
    """One end of a way through; what comes in here goes out at the other."""

    def __init__(self, other: "End | None" = None) -> None:
        self.other = End(self) if other is None else other
        self.waiting: list[bytes] = []
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what was waiting for this end."""
        self.transport = cast(asyncio.Transport, transport)
        for piece in self.waiting:
            self.transport.write(piece)

    def data_received(self, data: bytes) -> None:
        """Hand it on."""
        if self.other.transport is None:
            self.other.waiting.append(data)
        else:
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other end."""
        if self.other.transport is not None:
            self.other.transport.close()


async def serve(target: int, port: int) -> None:
    """Hand on whatever comes to `port`, for ever."""
    loop = asyncio.get_running_loop()
    opening = set[asyncio.Task[object]]()

    def accepted() -> End:
        near = End()
        task = asyncio.ensure_future(loop.create_connection(lambda: near.other, "127.0.0.1", target))
        opening.add(task)
        task.add_done_callback(opening.discard)
        return near

    server = await loop.create_server(accepted, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[3])))
