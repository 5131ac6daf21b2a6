"""The door of subscriptions: who is told of what, how deliveries went, and the feed to catch up with."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from services.gateway.outbound import Reach
from services.gateway.subscribers import Subscription
from services.gateway.subscriptions import queries, schemas, service
from services.gateway.vault import Vault
from services.kernel.auth import Caller, require
from services.kernel.bodies import (
    Cursor,
    IfMatch,
    Limit,
    check_match,
    decode_cursor,
    encode_cursor,
    entity_tag,
    page,
    ways,
)
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.types import real_now

router = APIRouter(prefix="/v1", tags=["subscriptions"])
Subscriber = Annotated[Caller, require("subscriptions:write")]
ONE = "/subscriptions/{subscription_id}"
After = Annotated[str | None, Query(max_length=400, description="From `paging.next` of the answer before")]
Kind = Annotated[str | None, Query(alias="type", pattern=schemas.EVENT_TYPE, description="A type, or a group with `*`")]


def tagged(row: Subscription, secret: str | None = None) -> JSONResponse:
    """The subscription with the entity tag that the next change must name; with its secret where that is new."""
    body = schemas.SubscriptionOut.of(row).model_dump(mode="json")
    return JSONResponse(body | ({"secret": secret} if secret else {}), headers={"ETag": entity_tag(row.version)})


async def for_update(session: Session, subscription_id: UUID, caller: Caller, match: str) -> Subscription:
    """The caller's subscription, locked, once it is sure that the caller read its present version."""
    row = await queries.subscription(session, caller, subscription_id, lock=True)
    check_match(match, entity_tag(row.version))
    return row


@router.post("/subscriptions", status_code=201, response_model=schemas.NewSubscriptionOut, responses=problems(409))
async def subscribe(
    body: schemas.SubscriptionIn, request: Request, caller: Subscriber, session: Session, once: Idempotent
) -> JSONResponse:
    """Be told of events by webhook (Standard Webhooks), from now on, within what the client may see.

    The secret is shown this once, and not again when the request is repeated. Events about one contract arrive in
    order, each at least once: `webhook-id` is the same whenever one comes again.
    """
    reach: Reach = request.app.state.reach
    vault: Vault = request.app.state.vault
    await reach.check(body.url)
    await once.begin()
    row, secret = await service.subscribe(session, body=body, vault=vault, caller=caller, now=real_now())
    shown = schemas.SubscriptionOut.of(row)
    stored = once.finish(201, shown, {"Location": f"/v1/subscriptions/{row.id}"})
    kept = {name: stored.headers[name] for name in ("ETag", "Location")}
    return JSONResponse({**shown.model_dump(mode="json"), "secret": secret}, 201, kept)


@router.get("/subscriptions", response_model=schemas.SubscriptionPage)
async def list_subscriptions(
    request: Request, caller: Subscriber, session: Session, limit: Limit = 50, cursor: Cursor = None
) -> JSONResponse:
    """The client's own subscriptions, oldest first."""
    place = decode_cursor(cursor, UUID)
    rows = await queries.subscriptions_page(session, caller, after=place[0] if place else None, limit=limit)
    shown = [schemas.SubscriptionOut.of(row) for row in rows]
    return page(shown, limit, [rows[-1].id] if rows else None, request)


@router.get(ONE, response_model=schemas.SubscriptionOut, responses=problems(404))
async def read_subscription(subscription_id: UUID, request: Request, caller: Subscriber, session: Session) -> Response:
    """One subscription: whether events are sent, and since when its receiver has been failing."""
    row = await queries.subscription(session, caller, subscription_id)
    if request.headers.get("if-none-match") == entity_tag(row.version):
        return Response(status_code=304, headers={"ETag": entity_tag(row.version)})
    return tagged(row)


@router.patch(ONE, response_model=schemas.SubscriptionOut, responses=problems(404))
async def change_subscription(
    subscription_id: UUID,
    body: schemas.SubscriptionChange,
    request: Request,
    caller: Subscriber,
    session: Session,
    match: IfMatch,
) -> JSONResponse:
    """Change where and of what to be told, or stop and start it; what is left out stays as it is."""
    if body.url is not None:
        reach: Reach = request.app.state.reach
        await reach.check(body.url)
    row = await for_update(session, subscription_id, caller, match)
    return tagged(await service.change(session, row=row, body=body, caller=caller, now=real_now()))


@router.delete(ONE, status_code=204, responses=problems(404))
async def delete_subscription(subscription_id: UUID, caller: Subscriber, session: Session, match: IfMatch) -> Response:
    """End a subscription: nothing is sent any more, and its secrets are forgotten."""
    row = await for_update(session, subscription_id, caller, match)
    await service.delete(session, row=row, caller=caller, now=real_now())
    return Response(status_code=204)


@router.post(f"{ONE}/secret-rotation", response_model=schemas.NewSubscriptionOut, responses=problems(404))
async def rotate_secret(
    subscription_id: UUID,
    body: schemas.RotationIn,
    request: Request,
    caller: Subscriber,
    session: Session,
    match: IfMatch,
) -> JSONResponse:
    """A new secret, shown this once; until the overlap ends every delivery is signed with the present one too."""
    row = await for_update(session, subscription_id, caller, match)
    vault: Vault = request.app.state.vault
    overlap = timedelta(hours=body.overlap_hours)
    row, secret = await service.rotate(session, row=row, overlap=overlap, vault=vault, caller=caller, now=real_now())
    return tagged(row, secret)


@router.post(f"{ONE}/test", status_code=202, response_model=schemas.DeliveryOut, responses=problems(404, 409))
async def send_ping(subscription_id: UUID, caller: Subscriber, session: Session, once: Idempotent) -> JSONResponse:
    """Send an event of type `ping`; how it went is then found among the deliveries."""
    await once.begin()
    row = await queries.subscription(session, caller, subscription_id, lock=True)
    made = await service.ping(session, row=row, now=real_now())
    return once.finish(202, schemas.DeliveryOut.of(made, None, []))


@router.get(f"{ONE}/deliveries", response_model=schemas.DeliveryPage, responses=problems(404))
async def list_deliveries(
    subscription_id: UUID,
    request: Request,
    caller: Subscriber,
    session: Session,
    status: schemas.DeliveryStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """What was sent or waits to be sent, newest first, each with its attempts."""
    row = await queries.subscription(session, caller, subscription_id)
    place = decode_cursor(cursor, UUID)
    before = place[0] if place else None
    found = await queries.deliveries_page(session, row.id, status=status, before=before, limit=limit)
    tries = await queries.attempts(session, [each.id for each, _ in found])
    shown = [schemas.DeliveryOut.of(each, event, tries[each.id]) for each, event in found]
    return page(shown, limit, [shown[-1].id] if shown else None, request)


@router.post(
    "/deliveries/{delivery_id}/redelivery",
    status_code=202,
    response_model=schemas.DeliveryOut,
    responses=problems(404, 409),
)
async def redeliver(delivery_id: UUID, caller: Subscriber, session: Session, once: Idempotent) -> JSONResponse:
    """Send a delivery again, under the same `webhook-id`, before what waits behind it about the same contract."""
    await once.begin()
    row, event = await queries.delivery(session, caller, delivery_id)
    subscription = await queries.subscription(session, caller, row.subscription_id, lock=True)
    row = await service.redeliver(session, row=row, subscription=subscription)
    tries = await queries.attempts(session, [row.id])
    return once.finish(202, schemas.DeliveryOut.of(row, event, tries[row.id]))


@router.get("/events", response_model=schemas.EventFeed)
async def read_events(
    request: Request,
    caller: Subscriber,
    session: Session,
    after: After = None,
    kind: Kind = None,
    contract_id: UUID | None = None,
    limit: Limit = 100,
) -> JSONResponse:
    """Everything that the client may be told of, in order, to catch up with: no event is ever skipped.

    `paging.next` and `Link` are always there, also at the end: ask with them again for what has come since.
    """
    place = decode_cursor(after, int)
    position = place[0] if place else 0
    rows = await queries.announcements_after(session, position, kinds=kind, contract_id=contract_id, limit=limit)
    following = encode_cursor([rows[-1].position if rows else position])
    body = {
        "data": [schemas.EventOut.model_validate(row).model_dump(mode="json") for row in rows],
        "paging": {"next": following},
    }
    return JSONResponse(body, headers=ways(request, next={"after": following}, first={"after": None}))
