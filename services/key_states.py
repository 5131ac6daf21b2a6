"""The keys of a folder as people look at them."""

import time
from dataclasses import dataclass
from pathlib import Path

from services.kernel.tokens import Key
from services.keys import NEVER, OVERLAP, read


@dataclass(frozen=True, slots=True)
class Listed:
    """A key as a person reads of it."""

    id: str
    signer: str
    state: str
    signs_here: bool


def listed(folder: Path) -> list[Listed]:
    """All keys, by signer and age, and what each is worth now."""
    now = time.time()
    found = sorted(read(folder).values(), key=lambda each: (each.signer, each.use_from))
    return [Listed(each.id, each.signer, state(each, now), each.private is not None) for each in found]


def state(key: Key, now: float) -> str:
    """What a key is worth at a moment."""
    if now < key.use_from:
        return "published, not yet in use"
    if key.until == NEVER or now < key.until - OVERLAP:
        return "in use"
    return "believed, no longer used" if now < key.until else "retired"
