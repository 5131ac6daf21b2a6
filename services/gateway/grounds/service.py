"""Opening a transfer on its ground, checking that again, and noting what does not agree once it was carried out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.joining import Discrepancy, Transfer, TransferStep
from services.gateway.rules.circumstances import Circumstance, Known
from services.gateway.rules.facts import proposed
from services.gateway.rules.ground import Condition, gone, shown
from services.gateway.rules.hand_over import identified
from services.gateway.rules.steps import Step, prefilled
from services.gateway.rules.templates import TEMPLATE_VERSION, TEMPLATES
from services.gateway.rules.transfer import Body, Move, Role, Route, Status, moved
from services.gateway.transfers import queries
from services.gateway.transfers.effect import ENDED, SYSTEM, past_return, tell
from services.kernel.auth import Caller
from services.kernel.types import london_date, plain, uuid7


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a transfer begins with: the contract, its evidence, the way in, what is known of the school, its trust."""

    contract: dict[str, Any]
    conditions: Sequence[Condition]
    route: Route
    needed: Sequence[Body]
    circumstances: Mapping[Circumstance, Known]
    outgoing_trust: Mapping[str, Any] | None


async def open_transfer(session: AsyncSession, *, proposal: Proposal, caller: Caller, now: datetime) -> Transfer | None:
    """Propose a transfer, with the conditions as evidence; None where one is under way, or was given up on this ground.

    What the commissioner has cancelled is proposed again once there is another verdict.
    """
    contract = proposal.contract
    if await queries.live_transfer(session, UUID(contract["id"])) is not None:
        return None
    if await queries.given_up(session, UUID(contract["id"]), contract["evaluation"]["id"]):
        return None
    row = Transfer(
        id=uuid7(),
        reference=await queries.next_reference(session, london_date(now).year),
        contract_id=UUID(contract["id"]),
        status=Status.PROPOSED,
        route=proposal.route,
        school_urn=int(contract["school"]["urn"]),
        trust_uid=contract["supplier"]["uid"],
        needed=[body.value for body in proposal.needed],
        evidence={
            "conditions": shown(proposal.conditions),
            "evaluation": contract["evaluation"],
            "circumstances": {name.value: asdict(each) for name, each in proposal.circumstances.items()},
            "outgoing_trust": identified(proposal.outgoing_trust) if proposal.outgoing_trust else None,
            "template_version": TEMPLATE_VERSION,
        },
        ground=ground_of(contract, proposal.conditions, now),
        template_version=TEMPLATE_VERSION,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    await session.flush()
    for place, step in enumerate(TEMPLATES[proposal.route]):
        session.add(new_step(row.id, place, step, proposal.circumstances, now))
    await tell(session, row, "transfer.proposed", caller, now, said=proposed(row), route=row.route, needed=row.needed)
    return row


def ground_of(contract: dict[str, Any], found: Sequence[Condition], now: datetime) -> dict[str, Any]:
    """What a check of the conditions found, as it is kept."""
    return {"conditions": shown(found), "evaluation": contract["evaluation"], "checked_at": plain(now)}


def new_step(
    transfer_id: UUID, place: int, step: Step, found: Mapping[Circumstance, Known], now: datetime
) -> TransferStep:
    """A step of the list for this school: what is known not to apply is marked, with who says so."""
    alike = ("key", "title", "section", "owner", "actor", "document", "gate")
    start = prefilled(step, found)
    closed = start.known if start.status != "open" else None
    return TransferStep(
        transfer_id=transfer_id,
        place=place,
        depends_on=list(step.depends_on),
        asks=list(step.asks),
        optional=start.optional,
        status=start.status,
        known=asdict(start.known) if start.known else None,
        reason=closed.detail if closed else None,
        finished_at=now if closed else None,
        finished_by={"source": closed.source} if closed else None,
        **{name: getattr(step, name) for name in alike},
    )


async def note_ground(
    session: AsyncSession, *, row: Transfer, contract: dict[str, Any], found: Sequence[Condition], now: datetime
) -> bool:
    """Note what a check of the conditions found; says whether the transfer still stands.

    Ground that is gone withdraws it, with the evidence; past the point of no return a discrepancy is opened instead.
    """
    caller, past = SYSTEM, await past_return(session, row)
    missing = gone(found, joined=past)
    ground = ground_of(contract, found, now)
    if row.ground is None or row.ground | {"checked_at": ground["checked_at"]} != ground:
        row.ground, row.version, row.updated_at = ground, row.version + 1, now
    if past:
        if missing:
            words = next(each.detail for each in found if each.code == missing[0])
            await open_discrepancy(session, row=row, kind="ground_gone", detail=words, facts=ground, now=now)
        else:
            await close_discrepancy(session, row=row, kind="ground_gone", by="a later verdict", now=now)
        return True
    if not missing or row.status in ENDED:
        return row.status not in ENDED
    row.status = moved(Status(row.status), Move.WITHDRAW, Role.WORKER)
    row.reason_code = f"ground_gone:{missing[0]}"
    await tell(session, row, "transfer.withdrawn", caller, now, said=(ground, {}), gone=missing)
    return False


async def open_discrepancy(
    session: AsyncSession, *, row: Transfer, kind: str, detail: str, facts: dict[str, Any], now: datetime
) -> None:
    """Something does not agree with what was carried out; one of a kind is open at a time."""
    if any(each.kind == kind and each.closed_at is None for each in await queries.discrepancies(session, row.id)):
        return
    session.add(Discrepancy(transfer_id=row.id, kind=kind, detail=detail, facts=facts, opened_at=now))
    await tell(session, row, "transfer.discrepancy", SYSTEM, now, said=({}, {"detail": detail}), discrepancy=kind)


async def close_discrepancy(session: AsyncSession, *, row: Transfer, kind: str, by: str, now: datetime) -> None:
    """What did not agree does now."""
    for each in await queries.discrepancies(session, row.id):
        if each.kind == kind and each.closed_at is None:
            each.closed_at, each.closed_by = now, by
            session.add(each)
            await tell(session, row, "transfer.discrepancy_closed", SYSTEM, now, discrepancy=kind, closed_by=by)
