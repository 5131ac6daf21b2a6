"""Answers of the services that are kept here, and told again once the service has said that they still stand."""

import re
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

LARGEST = 2**16
"""Bytes of the longest answer that is kept."""
AGE = 600.0
"""Seconds after which an answer is asked for anew: what was taken out of the database is not kept here for long."""
AROUND = 2_048
"""Bytes that an answer takes up beside its body, about."""
NOT_TO_BE_KEPT = re.compile(r"\bno-store\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer with its strong entity tag, and until when it is kept (seconds of a steady clock)."""

    tag: str
    body: bytes
    headers: Mapping[str, str]
    until: float


class Kept:
    """What a cache of HTTP may do that always validates (RFC 9111, section 4.3), in at most so many bytes.

    An answer is known by who asked for what, with all bounds of the caller, so that nobody is told what somebody else
    was told. Those not asked for longest make room.
    """

    def __init__(self, room: int) -> None:
        self.room, self.taken = room, 0
        self.answers: OrderedDict[Hashable, KeptAnswer] = OrderedDict()

    def find(self, asked: Hashable) -> KeptAnswer | None:
        """What was answered last, to be asked about."""
        found = self.answers.get(asked)
        if found is None or time.monotonic() > found.until:
            return None
        self.answers.move_to_end(asked)
        return found

    def keep(self, asked: Hashable, body: bytes, headers: Mapping[str, str]) -> None:
        """Keep an answer in the place of an earlier one, if it may be kept and has a strong entity tag."""
        if old := self.answers.pop(asked, None):
            self.taken -= len(old.body) + AROUND
        tag, size = headers.get("etag", ""), len(body) + AROUND
        kept = tag.startswith('"') and not NOT_TO_BE_KEPT.search(headers.get("cache-control", "no-store"))
        if not kept or len(body) > LARGEST or size > self.room:
            return
        while self.taken + size > self.room:
            _, oldest = self.answers.popitem(last=False)
            self.taken -= len(oldest.body) + AROUND
        self.taken += size
        self.answers[asked] = KeptAnswer(tag, body, headers, time.monotonic() + AGE)
