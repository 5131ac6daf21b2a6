"""What goes out: where a caller stands, a strong entity tag on what is read, and 304 to who has it already."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send

from services.gateway.rates import TooManyRequests
from services.kernel.bodies import tag_of


def has_it(known: str | None, tag: str) -> bool:
    """Whether If-None-Match names this entity tag (compared weakly, as RFC 9110 says)."""
    tags = {each.strip().removeprefix("W/") for each in (known or "").split(",")}
    return bool(tags & {tag, "*"})


class Answer:
    """The sending side of one request. The head waits for the first piece of the body, of which the tag is made.

    What was counted for nobody yet (a path that is not there, with a proof that nobody asked for) is counted last.
    """

    def __init__(self, scope: Scope, send: Send, count: Callable[[], Awaitable[None]]) -> None:
        self.scope, self.onward, self.count = scope, send, count
        self.head: Message | None = None
        self.begun = False

    async def send(self, message: Message) -> None:
        """Take one message of the app's answer."""
        if message["type"] == "http.response.start":
            self.head = message
            return
        if self.head is not None and message["type"] == "http.response.body":
            if "standing" not in self.scope["state"]:
                with suppress(TooManyRequests):
                    await self.count()
            self.finish_head(self.head, message)
            self.begun = True
            await self.onward(self.head)
            self.head = None
        await self.onward(message)

    def finish_head(self, head: Message, body: Message) -> None:
        """Put the fields into the head that it lacks; what the caller has already becomes a 304 without a body."""
        headers = MutableHeaders(raw=head.setdefault("headers", []))
        if standing := self.scope["state"].get("standing"):
            headers.update(standing.fields())
        read = self.scope["method"] == "GET" and head["status"] == 200
        if not read or body.get("more_body") or self.scope["path"].startswith("/health/"):
            return
        tag = headers.setdefault("etag", tag_of(body.get("body", b"")))
        if has_it(Headers(scope=self.scope).get("if-none-match"), tag):
            head["status"], body["body"] = 304, b""
            del headers["content-length"]
            del headers["content-type"]
