"""What may be told to subscribers: which parts of an event, in one order over all services."""

from collections.abc import Mapping, Sequence
from typing import Any

TELLABLE = frozenset(
    {
        "code",
        "consent_by",
        "decision",
        "done_on",
        "due_on",
        "effective_on",
        "evaluation_id",
        "milestone_code",
        "notice",
        "number",
        "party",
        "payment_id",
        "rating",
        "reason_code",
        "record_id",
        "reference",
        "route",
        "status",
        "step",
        "step_status",
        "transfer_id",
        "version",
    }
)
"""Identifiers, references, statuses and days. Reasons and old and new values stay inside."""
Event = dict[str, Any]


def thin(contract_id: str, data: dict[str, Any]) -> dict[str, Any]:
    """What is told of an event: whom it is about, its statuses, and where to read the rest."""
    told = {name: value for name, value in sorted(data.items()) if name in TELLABLE and isinstance(value, str | int)}
    links = {"contract": f"/v1/contracts/{contract_id}"}
    if "transfer_id" in told:
        links["transfer"] = f"/v1/transfers/{told['transfer_id']}"
    return {**told, "contract_id": contract_id, "links": links}


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
