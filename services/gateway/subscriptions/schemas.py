"""Bodies about subscriptions, events and deliveries."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.gateway.subscribers import Announcement, Attempt, Dispatch, Subscription
from services.kernel.bodies import Answer, Body, Paging, Text

EVENT_TYPE = r"^(\*|[a-z_]{1,30}\.(\*|[a-z_]{1,30}))$"
EventType = Annotated[
    str,
    Field(pattern=EVENT_TYPE, description="A type, a group with `*`, or `*` for all", examples=["contract.*"]),
]
Url = Annotated[str, Field(min_length=8, max_length=500, examples=["https://hooks.example.org/ringfence"])]
Types = Annotated[list[EventType], Field(min_length=1, max_length=50, examples=[["contract.*", "transfer.completed"]])]
Contracts = Annotated[
    list[Annotated[UUID, Field(strict=False)]], Field(max_length=200, description="Empty: all that the client may see")
]
Regions = Annotated[list[Text], Field(max_length=20, examples=[["North West"]], description="Empty: all")]
Trusts = Annotated[
    list[Annotated[str, Field(pattern=r"^[0-9]{1,10}$")]],
    Field(max_length=200, examples=[["4903"]], description="GIAS group UIDs of suppliers; empty: all"),
]


class SubscriptionStatus(StrEnum):
    """Whether events are sent."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DeliveryStatus(StrEnum):
    """How a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    WITHHELD = "withheld"


class SubscriptionIn(Body):
    """Which events to be told of, and where; filters only narrow what the client may see."""

    url: Url
    types: Types
    description: Text | None = None
    contract_ids: Contracts = []
    regions: Regions = []
    trust_uids: Trusts = []


class SubscriptionChange(Body):
    """What is to change; what is left out stays."""

    url: Url | None = None
    types: Types | None = None
    description: Text | None = None
    contract_ids: Contracts | None = None
    regions: Regions | None = None
    trust_uids: Trusts | None = None
    status: Annotated[SubscriptionStatus, Field(strict=False)] | None = None


class RotationIn(Body):
    """How long the present secret goes on signing beside the new one."""

    overlap_hours: Annotated[int, Field(ge=0, le=168, description="Hours", examples=[24])] = 24


class SubscriptionOut(Answer):
    """A subscription; `failing_since` is set while nothing but failures is heard from the receiver."""

    id: UUID
    version: int
    url: str
    types: list[str]
    description: str | None
    contract_ids: list[str]
    regions: list[str]
    trust_uids: list[str]
    status: SubscriptionStatus
    reason_code: str | None
    failing_since: datetime | None
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Subscription) -> Self:
        """The subscription of this row, without its secrets."""
        alike = cls.model_fields.keys() - {"previous_secret_until"}
        return cls.model_validate(
            {**{name: getattr(row, name) for name in alike}, "previous_secret_until": row.previous_until}
        )


class NewSubscriptionOut(SubscriptionOut):
    """A subscription with its new secret, which is shown this once."""

    secret: Annotated[str, Field(description="For verifying signatures (Standard Webhooks)")]


class SubscriptionPage(BaseModel):
    """A page of subscriptions."""

    data: list[SubscriptionOut]
    paging: Paging


class EventOut(Answer):
    """Something that happened: identifiers and statuses; the rest is read where `data.links` says.

    It is about a contract, or about a release, which is everybody's to know.
    """

    id: UUID
    type: str
    occurred_at: datetime
    contract_id: UUID | None
    release_id: UUID | None
    data: dict[str, Any]


class EventFeed(BaseModel):
    """Events after a place, in order. `paging.next` is there also at the end: ask with it again later."""

    data: list[EventOut]
    paging: Paging


class AttemptOut(Answer):
    """One try: without a response status nobody answered, and `error` says why."""

    started_at: datetime
    duration_ms: int
    response_status: int | None
    error: str | None


class DeliveryOut(BaseModel):
    """An event on its way to a subscription; a ping has no event."""

    id: UUID
    subscription_id: UUID
    event_id: UUID | None
    type: str
    contract_id: UUID | None
    status: DeliveryStatus
    created_at: datetime
    finished_at: datetime | None
    attempts: list[AttemptOut]

    @classmethod
    def of(cls, row: Dispatch, event: Announcement | None, attempts: list[Attempt]) -> Self:
        """The delivery of this row, with its event where it has one, and every attempt."""
        alike = {name: getattr(row, name) for name in ("id", "subscription_id", "status", "created_at", "finished_at")}
        return cls(
            **alike,
            event_id=event.id if event else None,
            type=event.type if event else "ping",
            contract_id=event.contract_id if event else None,
            attempts=[AttemptOut.model_validate(each) for each in attempts],
        )


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first."""

    data: list[DeliveryOut]
    paging: Paging
