"""What may be told to subscribers: which parts of an event, in one order over all services."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

TELLABLE = frozenset(
    {
        "academic_year",
        "closed_on",
        "code",
        "consent_by",
        "decision",
        "done_on",
        "due_on",
        "effective_on",
        "ends_on",
        "evaluation_id",
        "feed",
        "first_dfe_year",
        "milestone_code",
        "notice",
        "number",
        "overall",
        "party",
        "payment_id",
        "rating",
        "reason_code",
        "record_id",
        "reference",
        "release_status",
        "replaced_by",
        "route",
        "run",
        "starts_on",
        "status",
        "step",
        "step_status",
        "transfer_id",
        "version",
    }
)
"""Identifiers, references, statuses and days. Reasons and old and new values stay inside."""
CONTRACTS, OUTCOMES, OWN = SOURCES = ("announce:contracts", "announce:outcomes", "announce:gateway")
"""How far each service's events were announced is kept under these names."""
LINKED = ("contract", "release", "transfer", "evaluation")
OF_TRANSFERS = frozenset({"membership.confirmed", "membership.unconfirmed"})
"""What a later register says of a membership that a transfer opened."""
Event = dict[str, Any]


def thin(subject: str, subject_id: str, data: dict[str, Any]) -> dict[str, Any]:
    """What is told of an event: which contract or release it is about, its statuses, and where to read the rest."""
    told = {name: value for name, value in sorted(data.items()) if name in TELLABLE and isinstance(value, str | int)}
    known = told | {f"{subject}_id": subject_id}
    links = {name: f"/v1/{name}s/{known[f'{name}_id']}" for name in LINKED if f"{name}_id" in known}
    return {**known, "links": links}


def subject(source: str, event: Event) -> tuple[str, UUID]:
    """Which contract, release or transfer an event that is announced is about, and its id."""
    if source == OUTCOMES and event["type"].startswith("release."):
        return "release", UUID(str(event["subject_id"]))
    if source == OUTCOMES and event["type"] in OF_TRANSFERS:
        return "transfer", UUID(str(event["data"]["transfer_id"]))
    return "contract", UUID(str(event["subject_id"]))


def place(event: Event) -> tuple[int, int]:
    """Where an event stands in the order of the database: its transaction, and its place in it."""
    return event["txid"], event["position"]


def in_one_order(horizon: int, streams: Mapping[str, Sequence[Event]]) -> list[tuple[str, Event]]:
    """The events of several services that can be relied on, each with its source, in the order of their transactions.

    `streams` holds for each service its next events in their order; none means that there are no more below `horizon`,
    the oldest transaction that was running before they were read. What follows from an event is written by a later
    transaction, so this order puts causes before effects. Events beyond the horizon, or beyond the last event of a
    stream that may go on, are left for the next time.
    """
    last = min((place(events[-1]) for events in streams.values() if events), default=(0, 0))
    found = [
        (source, event)
        for source, events in streams.items()
        for event in events
        if event["txid"] < horizon and place(event) <= last
    ]
    return sorted(found, key=lambda each: place(each[1]))
