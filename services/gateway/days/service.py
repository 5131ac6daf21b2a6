"""The acts of the day, each noted once the other side has answered; and the package that is handed over after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.calls import Ground
from services.gateway.following.service import follow
from services.gateway.grounds.service import close_discrepancy, note_ground, open_discrepancy
from services.gateway.joining import HandOver, Transfer, TransferStep
from services.gateway.models import Job
from services.gateway.rules import hand_over as rules
from services.gateway.rules.day import due, identifiers
from services.gateway.rules.ground import gate_open
from services.gateway.rules.steps import CHECK, FREEZE, HAND_OVER, MEMBERSHIP
from services.gateway.rules.transfer import Move, Role, Route, Status, moved
from services.gateway.transfers import queries
from services.gateway.transfers.effect import SYSTEM, decisions_of, tell, unmet_of
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


@dataclass(frozen=True, slots=True)
class Due:
    """An act that is due on a transfer, with the school's new identifiers."""

    row: Transfer
    act: str
    identifiers: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """What becomes of a package: sent by the system, or fetched; and after how many minutes it asks for attention."""

    sent: bool
    minutes: int


Acts = Mapping[tuple[UUID, str], TransferStep]
Done = Mapping[UUID, tuple[str, Any]]
"""By transfer: an act that was carried out, and the ground that it found or the other side's answer."""


async def go_on(
    session: AsyncSession, *, transfer_ids: Sequence[UUID], done: Done, terms: Terms, now: datetime
) -> list[Due]:
    """Note what the last acts of transfers have led to, and give those that are due next; in a few reads for all."""
    rows = await queries.locked_transfers(session, transfer_ids)
    acts = await queries.acts(session, transfer_ids)
    joined = []
    for row in rows:
        if row.id not in done:
            continue
        key, result = done[row.id]
        if key == CHECK:
            await finish_check(session, row=row, step=acts[row.id, CHECK], ground=result, now=now)
        elif await note_done(session, row, acts[row.id, key], now):
            row.result = result if key == MEMBERSHIP else row.result
            joined += [row] if key == FREEZE else []
    await complete(session, rows=joined, contracts={row.id: done[row.id][1] for row in joined}, terms=terms, now=now)
    waits = {row.id for row in rows if row.id in done and acts[row.id, CHECK].status == "open"}
    return await next_acts(session, rows=[row for row in rows if row.id not in waits], acts=acts, now=now)


async def next_acts(session: AsyncSession, *, rows: Sequence[Transfer], acts: Acts, now: datetime) -> list[Due]:
    """The acts that are due on transfers now; what one waits for is noted.

    A day that was put off is waited for again. Before the membership is opened that is noted as begun: from then on
    nobody gives the transfer up, whether this worker lives to see the answer or not.
    """
    today, come = london_date(now), []
    for row in rows:
        if row.status != Status.SCHEDULED or row.effective_on is None:
            continue
        if row.effective_on > today:
            await enqueue(session, Job, kind="carry_out", key=str(row.id), run_at=start_of_day(row.effective_on))
        else:
            come.append((row, row.effective_on))
    if not come:
        return []
    await session.flush()
    lists = await queries.listed(session, [row.id for row, _day in come])
    unmet, found = await unmet_of(session, [row for row, _day in come]), []
    for row, day in come:
        state = due(lists[row.id], unmet[row.id], Route(row.route), day, row.confirmed, today)
        row.reason_code = state.reason_code
        if state.act is None:
            continue
        if state.act == MEMBERSHIP:
            step = acts[row.id, MEMBERSHIP]
            step.started_at = step.started_at or now
        new = identifiers(lists[row.id])
        found.append(Due(row, state.act, new | ({"new_urn": int(new["new_urn"])} if "new_urn" in new else {})))
    return found


async def note_done(session: AsyncSession, row: Transfer, step: TransferStep, now: datetime) -> bool:
    """Note an act as done; says whether it was open: one that another worker has noted before changes nothing."""
    if step.status != "open":
        return False
    step.status, step.finished_at, step.finished_by = "done", now, SYSTEM.actor()
    await tell(session, row, "transfer.step", SYSTEM, now, step=step.key, step_status="done")
    return True


async def finish_check(
    session: AsyncSession, *, row: Transfer, step: TransferStep, ground: Ground, now: datetime
) -> None:
    """The ground was checked on the day. Gone, it ends the transfer; not known, it waits."""
    found = ground.conditions
    if not await note_ground(session, row=row, contract=ground.contract, found=found, now=now):
        return
    if gate_open(found):
        await note_done(session, row, step, now)
    else:
        row.reason_code = f"waiting_for_{next(each.code for each in found if each.state != 'met')}"


async def refused_act(session: AsyncSession, *, row: Transfer, key: str, code: str, now: datetime) -> None:
    """The other side has refused an act, so nothing has happened there: that is the reason, and there is a way back."""
    step = await queries.step(session, row.id, key)
    if step.status == "open":
        step.started_at = None
        reason = f"refused:{code}"[:80]
        if row.reason_code != reason:
            row.reason_code = reason
            await tell(session, row, "transfer.refused", SYSTEM, now, step=key, code=code)


async def complete(
    session: AsyncSession,
    *,
    rows: Sequence[Transfer],
    contracts: Mapping[UUID, dict[str, Any]],
    terms: Terms,
    now: datetime,
) -> None:
    """The last act of transfers has been done: they are completed, and their packages made in the same transaction."""
    if not rows:
        return
    ids = [row.id for row in rows]
    await follow(session, contracts=list(contracts.values()))
    decided, days = await decisions_of(session, rows), await queries.days(session, ids)
    for row in rows:
        row.status = moved(Status(row.status), Move.COMPLETE, Role.WORKER)
        await tell(session, row, "transfer.completed", SYSTEM, now, effective_on=row.effective_on)
        facts = rules.package(
            transfer=row.model_dump(),
            contract=contracts[row.id],
            consents=[each.model_dump() for each in decided.get(row.id, {}).values()],
            days=[each.model_dump() for each in days if each.transfer_id == row.id],
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
