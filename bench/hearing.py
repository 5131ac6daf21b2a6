"""A subscriber's server for row 73: takes deliveries, and says afterwards whether all were signed and came in order.

`POST /hook/<subscription>` is a delivery. `GET /heard` gives how many came and how many came late, from the first;
`POST /check` takes the secrets by subscription and says what was wrong. It keeps what arrives and looks at it only
then, so that it takes little of the machine that it shares with the courier.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import sys
from typing import Any, cast

import uvloop

END = b"\r\n\r\n"
HOOK = b"POST /hook/"
THANKS = b"HTTP/1.1 204 No Content\r\n\r\n"
Delivery = tuple[bytes, bytes]
"""Head and body, as they arrived."""


class Hearing(asyncio.Protocol):
    """One connection."""

    def __init__(self, heard: list[Delivery]) -> None:
        self.heard, self.buffer = heard, b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self.buffer += data
        while (end := self.buffer.find(END)) >= 0:
            head = self.buffer[:end]
            place = head.lower().find(b"content-length:")
            length = int(head[place + 15 :].partition(b"\r")[0]) if place >= 0 else 0
            body, rest = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            if len(body) < length:
                return
            self.buffer = rest
            if head.startswith(HOOK):
                self.heard.append((head, body))
                self.transport.write(THANKS)
            else:
                self.say(len(self.heard) if head.startswith(b"GET") else judged(self.heard, json.loads(body)))

    def say(self, found: Any) -> None:
        """An answer in JSON."""
        body = json.dumps(found).encode()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def judged(heard: list[Delivery], secrets: dict[str, str]) -> dict[str, int]:
    """Of all that was heard: how many different ones, how many again, unsigned, and before one that is earlier."""
    keys = {name: base64.b64decode(secret) for name, secret in secrets.items()}
    last: dict[tuple[str, str], int] = {}
    known, unsigned, overtaking = set[tuple[str, str]](), 0, 0
    for head, body in heard:
        lines = head.decode().split("\r\n")
        subscription = lines[0].split(" ")[1].rpartition("/")[2]
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        message = fields["webhook-id"]
        content = f"{message}.{fields['webhook-timestamp']}.".encode() + body
        digest = base64.b64encode(hmac.digest(keys[subscription], content, hashlib.sha256)).decode()
        unsigned += f"v1,{digest}" not in fields["webhook-signature"].split(" ")
        if (subscription, message) in known:
            continue
        known.add((subscription, message))
        told = json.loads(body)["data"]
        line = (subscription, told["contract_id"])
        overtaking += told["number"] <= last.get(line, -1)
        last[line] = told["number"]
    return {"heard": len(known), "again": len(heard) - len(known), "unsigned": unsigned, "overtaking": overtaking}


async def serve(port: int) -> None:
    """Listen for ever."""
    heard: list[Delivery] = []
    server = await asyncio.get_running_loop().create_server(lambda: Hearing(heard), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[2])))
