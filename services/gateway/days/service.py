"""The acts of the day, each noted once the other side has answered; and the package that is handed over after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.following.service import follow
from services.gateway.joining import HandOver, Transfer, TransferStep
from services.gateway.models import Job
from services.gateway.rules import hand_over as rules
from services.gateway.rules.day import due, identifiers
from services.gateway.rules.ground import Condition, gate_open
from services.gateway.rules.steps import CHECK, FREEZE, HAND_OVER, MEMBERSHIP
from services.gateway.rules.transfer import Move, Role, Route, Status, moved
from services.gateway.transfers import queries
from services.gateway.transfers.service import (
    SYSTEM,
    close_discrepancy,
    decisions,
    note_ground,
    open_discrepancy,
    tell,
    unmet_conditions,
)
from services.kernel.auth import Caller
from services.kernel.errors import DomainError, NotFound, Unprocessable
from services.kernel.jobs import enqueue
from services.kernel.types import london_date, start_of_day

LAGS = "register_lags"
"""The kind of discrepancy that a release of the register opens when it does not show the membership."""


class AlreadyAcknowledged(DomainError):
    """The package was acknowledged under another identifier."""

    code = "already_acknowledged"
    title = "The hand-over was acknowledged before"


async def next_act(session: AsyncSession, *, row: Transfer, now: datetime) -> tuple[str, dict[str, Any]] | None:
    """The act that is due on this transfer now with its new identifiers, or None; what it waits for is noted.

    A day that was put off is waited for again. Before the membership is opened that is noted as begun: from then on
    nobody gives the transfer up, whether this worker lives to see the answer or not.
    """
    if row.status != Status.SCHEDULED or row.effective_on is None:
        return None
    today = london_date(now)
    if row.effective_on > today:
        await enqueue(session, Job, kind="carry_out", key=str(row.id), run_at=start_of_day(row.effective_on))
        return None
    seen, unmet = await queries.listed(session, row.id), await unmet_conditions(session, row)
    found = due(seen, unmet, Route(row.route), row.effective_on, row.confirmed, today)
    row.reason_code = found.reason_code
    if found.act is None:
        return None
    if found.act == MEMBERSHIP:
        step = await queries.step(session, row.id, MEMBERSHIP)
        step.started_at = step.started_at or now
    new = identifiers(seen)
    return found.act, new | ({"new_urn": int(new["new_urn"])} if "new_urn" in new else {})


@dataclass(frozen=True, slots=True)
class Terms:
    """What becomes of a package: sent by the system, or fetched; and after how many minutes it asks for attention."""

    sent: bool
    minutes: int


async def finish_act(
    session: AsyncSession, *, row: Transfer, key: str, answer: dict[str, Any], terms: Terms, now: datetime
) -> None:
    """An act of the system has been answered by the other side; the last one completes the transfer.

    One that another worker has noted before changes nothing.
    """
    if not await note_done(session, row, key, now):
        return
    if key == MEMBERSHIP:
        row.result = answer
    if key == FREEZE:
        row.status = moved(Status(row.status), Move.COMPLETE, Role.WORKER)
        await tell(session, row, "transfer.completed", SYSTEM, now, effective_on=row.effective_on)
        await follow(session, contract=answer)
        await make_package(session, row=row, contract=answer, terms=terms, now=now)


async def note_done(session: AsyncSession, row: Transfer, key: str, now: datetime) -> bool:
    """Note an act as done; says whether it was open."""
    step = await queries.step(session, row.id, key)
    if step.status != "open":
        return False
    step.status, step.finished_at, step.finished_by = "done", now, SYSTEM.actor()
    await tell(session, row, "transfer.step", SYSTEM, now, step=key, step_status="done")
    return True


async def finish_check(
    session: AsyncSession, *, row: Transfer, contract: dict[str, Any], found: Sequence[Condition], now: datetime
) -> bool:
    """The ground was checked on the day; says whether it holds. Gone, it ends the transfer; not known, it waits."""
    if not await note_ground(session, row=row, contract=contract, found=found, now=now):
        return False
    if not gate_open(found):
        row.reason_code = f"waiting_for_{next(each.code for each in found if each.state != 'met')}"
        return False
    await note_done(session, row, CHECK, now)
    return True


async def refused_act(session: AsyncSession, *, row: Transfer, key: str, code: str, now: datetime) -> None:
    """The other side has refused an act, so nothing has happened there: that is the reason, and there is a way back."""
    step = await queries.step(session, row.id, key)
    if step.status == "open":
        step.started_at = None
        reason = f"refused:{code}"[:80]
        if row.reason_code != reason:
            row.reason_code = reason
            await tell(session, row, "transfer.refused", SYSTEM, now, step=key, code=code)


async def make_package(
    session: AsyncSession, *, row: Transfer, contract: dict[str, Any], terms: Terms, now: datetime
) -> None:
    """The package of a transfer that was carried out, in the transaction that completes it."""
    facts = rules.package(
        transfer=row.model_dump(),
        contract=contract,
        consents=[each.model_dump() for each in (await decisions(session, row)).values()],
        days=[each.model_dump() for each in await queries.days(session, row.id)],
    )
    due_at = now + timedelta(minutes=terms.minutes)
    made = HandOver(transfer_id=row.id, package=facts, sha256=rules.digest(facts), made_at=now, due_at=due_at)
    session.add(made)
    await tell(session, row, "transfer.hand_over", SYSTEM, now, sha256=made.sha256)
    if terms.sent:
        await enqueue(session, Job, kind="hand_over", key=str(row.id))


async def package_of(session: AsyncSession, transfer_id: UUID) -> HandOver:
    """The package; raises NotFound before it is made."""
    await queries.transfer(session, transfer_id)
    found = await queries.hand_over(session, transfer_id)
    if found is None:
        raise NotFound("The package is made once the school has joined.")
    return found


async def acknowledge(
    session: AsyncSession, *, row: Transfer, remote_id: str, sha256: str, caller: Caller, now: datetime
) -> HandOver:
    """The package has arrived, and is kept there under an identifier. The same again changes nothing."""
    made = await queries.hand_over(session, row.id, locked=True)
    if made is None:
        raise NotFound("The package is made once the school has joined.")
    if sha256 != made.sha256:
        raise Unprocessable("That is not the package that was sent.", errors=[{"pointer": "/sha256"}])
    if made.acknowledged_at is not None:
        if made.remote_id != remote_id:
            raise AlreadyAcknowledged(f"It is kept there as {made.remote_id}.")
        return made
    made.remote_id, made.acknowledged_at, made.acknowledged_by = remote_id, now, caller.actor()
    session.add(made)
    step = await session.get(TransferStep, (row.id, HAND_OVER.key))
    if step is not None:
        step.status, step.finished_at, step.finished_by = "done", now, caller.actor()
    await tell(session, row, "transfer.hand_over_acknowledged", caller, now, remote_id=remote_id)
    return made


INSPECTIONS = frozenset({"ofsted", "ofsted_history"})


async def heed(session: AsyncSession, *, events: Sequence[dict[str, Any]], now: datetime) -> None:
    """What other services' events mean for transfers beyond their own contract: check ground again, see the register.

    Called in the transaction in which the events are taken in, so each counts once.
    """
    suppliers = {event["data"]["uid"] for event in events if event["type"].startswith("matter.")}
    inspected = any(e["type"] == "release.ingested" and e["data"]["feed"] in INSPECTIONS for e in events)
    wanted = [None] if inspected else sorted(suppliers)
    for supplier in wanted:
        for contract_id in await queries.completed_contracts(session, supplier):
            await enqueue(session, Job, kind="review", key=str(contract_id))
    for event in events:
        if event["type"] in {"membership.confirmed", "membership.unconfirmed"}:
            await see_register(session, event["data"], confirmed=event["type"] == "membership.confirmed", now=now)


async def see_register(session: AsyncSession, told: dict[str, Any], *, confirmed: bool, now: datetime) -> None:
    """A release of the register shows a membership that a transfer opened, or does not."""
    row = await session.get(Transfer, UUID(told["transfer_id"]), with_for_update=True)
    if row is None:
        return
    if confirmed:
        await close_discrepancy(session, row=row, kind=LAGS, by=f"the register of {told['shown_on']}", now=now)
        if row.register_confirmed_at is None:
            row.register_confirmed_at = now
            await tell(session, row, "transfer.confirmed_by_register", SYSTEM, now, shown_on=told["shown_on"])
        return
    shown = f"trust {told['shown_trust_uid']}" if told["shown_trust_uid"] else "no trust"
    words = f"The register of {told['shown_on']} shows {shown}, not trust {told['trust_uid']}."
    await open_discrepancy(session, row=row, kind=LAGS, detail=words, facts=told, now=now)
