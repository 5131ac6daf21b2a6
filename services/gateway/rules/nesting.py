"""How deep and how wide a JSON text is, found without parsing it, in time that grows with its length only."""

import re

MAX_DEPTH = 32
MAX_VALUES = 100_000
TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""A string, or what begins like one and does not end. Possessive: nothing is looked at twice."""
SQUARE = bytes.maketrans(b"{}", b"[]")
REST = bytes(set(range(256)) - set(b"[],"))


def tangled(text: bytes) -> bool:
    """Whether a JSON text nests deeper than MAX_DEPTH, holds more than MAX_VALUES values, or never closes a bracket.

    Each round takes the innermost brackets away.
    """
    brackets = TEXT.sub(b"", text).translate(SQUARE).translate(None, REST)
    if brackets.count(b",") > MAX_VALUES:
        return True
    brackets = brackets.replace(b",", b"")
    for _ in range(MAX_DEPTH):
        if b"[]" not in brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    return b"[" in brackets
