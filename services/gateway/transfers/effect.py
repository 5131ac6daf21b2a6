"""What every change of a transfer comes with: it is told of, the ground is checked again, the day is waited for."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.joining import Consent, Transfer
from services.gateway.log.service import append_leaf
from services.gateway.models import Event, Job
from services.gateway.rules.facts import Said
from services.gateway.rules.steps import MEMBERSHIP
from services.gateway.rules.transfer import Decision, Move, Role, Status, all_approved, moved
from services.gateway.transfers import queries
from services.kernel.auth import Caller, service_caller
from services.kernel.events import record
from services.kernel.jobs import enqueue
from services.kernel.types import start_of_day

SYSTEM = service_caller("gateway")
ENDED = frozenset({Status.COMPLETED, Status.CANCELLED})


async def tell(
    session: AsyncSession,
    row: Transfer,
    kind: str,
    caller: Caller,
    now: datetime,
    *,
    said: Said = ({}, {}),
    **data: Any,
) -> None:
    """Event and leaf of a change, and the transfer's version counted on; `said` is what only the leaf speaks of."""
    row.version += 1
    row.updated_at = now
    facts = {"transfer_id": row.id, "reference": row.reference, "status": row.status, **data}
    record(session, Event, kind=kind, subject_id=row.contract_id, actor=caller.actor(), data=facts, now=now)
    more, private = said
    leaf = {**facts, **more, "by": caller.client_id, "at": now, "version": row.version}
    await append_leaf(session, kind=kind, subject_id=row.contract_id, facts=leaf, private=private, now=now)


async def check_again(session: AsyncSession, row: Transfer) -> None:
    """Ask for the ground of a transfer to be checked: every gate that it passes does."""
    await enqueue(session, Job, kind="review", key=str(row.contract_id))


async def past_return(session: AsyncSession, row: Transfer) -> bool:
    """Whether the school has joined, or is being made a member at this moment."""
    step = await queries.step(session, row.id, MEMBERSHIP)
    return step.started_at is not None or step.status == "done"


async def decisions(session: AsyncSession, row: Transfer) -> dict[str, Consent]:
    """The latest decision of each body that has decided."""
    return (await decisions_of(session, [row])).get(row.id, {})


async def decisions_of(session: AsyncSession, rows: Sequence[Transfer]) -> dict[UUID, dict[str, Consent]]:
    """By transfer: the latest decision of each body that has decided."""
    found: dict[UUID, dict[str, Consent]] = {}
    for each in await queries.consents(session, [row.id for row in rows]):
        found.setdefault(each.transfer_id, {})[each.by] = each
    return found


async def unmet_conditions(session: AsyncSession, row: Transfer) -> list[str]:
    """Conditions of the latest consents that have not been met, such as `rsc/1`; and bodies that have not consented."""
    return (await unmet_of(session, [row]))[row.id]


async def unmet_of(session: AsyncSession, rows: Sequence[Transfer]) -> dict[UUID, list[str]]:
    """By transfer: what of its consents is missing."""
    decided = await decisions_of(session, rows)
    given = [each for latest in decided.values() for each in latest.values()]
    met = await queries.fulfilments(session, [each.id for each in given if each.conditions])
    return {row.id: missing(row, decided.get(row.id, {}), met.keys()) for row in rows}


def missing(row: Transfer, latest: Mapping[str, Consent], met: Collection[tuple[UUID, int]]) -> list[str]:
    """What is missing of a transfer's consents; `met` are conditions by consent and number."""
    silent = [
        by for by in row.needed if by not in latest or not all_approved([by], {by: Decision(latest[by].decision)})
    ]
    return silent + [
        f"{by}/{number}"
        for by, each in latest.items()
        for number in range(1, len(each.conditions) + 1)
        if (each.id, number) not in met
    ]


async def schedule_if_ready(session: AsyncSession, *, row: Transfer, caller: Caller, now: datetime) -> None:
    """With every consent given and a day set, the day is waited for."""
    latest = {by: Decision(each.decision) for by, each in (await decisions(session, row)).items()}
    if row.status != Status.CONSENTING or row.effective_on is None or not all_approved(row.needed, latest):
        return
    row.status = moved(Status(row.status), Move.SCHEDULE, Role.WORKER)
    await tell(session, row, "transfer.scheduled", caller, now, effective_on=row.effective_on)
    await wake(session, row, now)


async def wake(session: AsyncSession, row: Transfer, now: datetime) -> None:
    """Have the day carried out when it comes, or now where it has come and something held it back."""
    if row.status == Status.SCHEDULED and row.effective_on is not None:
        run_at = max(now, start_of_day(row.effective_on))
        await enqueue(session, Job, kind="carry_out", key=str(row.id), run_at=run_at)
