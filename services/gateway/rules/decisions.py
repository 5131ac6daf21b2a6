"""Which events of the services behind the door are leaves of the log, and what their leaves say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

UNDECIDED = frozenset(
    {
        "contract.drafted",
        "contract.redrafted",
        "milestone.planned",
        "milestone.due_soon",
        "milestone.overdue",
        "school.identified",
    }
)
"""Events that tell of no decision: drafts, what the clock brings to mind, what a register says of a school.

All others are leaves, so that a new kind of decision is in the log from its first day on.
"""
WORDS = frozenset({"changes", "reason", "detail", "note", "title"})
"""What of an event's data may hold the words of people: a leaf holds a salted hash of it."""


def is_decision(kind: str) -> bool:
    """Whether an event of this kind is a leaf of the log."""
    return kind not in UNDECIDED


def told(source: str, event: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a leaf says of an event of a service openly, and what it holds as salted hashes only."""
    data, occurred_at = event["data"], event["occurred_at"]
    if isinstance(occurred_at, str):
        occurred_at = datetime.fromisoformat(occurred_at)
    facts = {
        "source": source,
        "event_id": event["id"],
        "occurred_at": occurred_at,
        "by": event["actor"]["client_id"],
        "data": {name: value for name, value in data.items() if name not in WORDS},
    }
    return facts, {"actor": event["actor"], "words": {name: data[name] for name in WORDS & data.keys()}}
