"""Duties of contracts, computed from how they stand; and noting that one was fulfilled."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.conduct import Notice
from services.contracts.duties import queries
from services.contracts.duties.schemas import DutyOut, NoticeIn
from services.contracts.events import tell
from services.contracts.models import Contract
from services.contracts.rules import duties
from services.contracts.rules.life import ROLES, MoveNotAllowed, NotTheirMove, Role, Status
from services.contracts.rules.terms import BadTerms
from services.kernel.auth import Caller
from services.kernel.types import london_date


async def owed(session: AsyncSession, *, contract_id: UUID | None, caller: Caller, today: date) -> list[DutyOut]:
    """Every duty of one contract, or of all that the caller may see, by due date."""
    rows = await queries.entered(session, caller, contract_id)
    parts = await parts_of(session, [row.id for row in rows])
    found = [
        DutyOut(
            contract_id=row.id,
            reference=row.reference,
            state=duty.state(today),
            **{
                name: getattr(duty, name) for name in ("code", "subject", "title", "due_on", "done_on", "rule", "basis")
            },
        )
        for row in rows
        for duty in duties.duties(commitment(row, parts[row.id]), today)
    ]
    return sorted(found, key=lambda duty: (duty.due_on, duty.contract_id, duty.code, duty.subject or ""))


async def parts_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, dict[str, list[Any]]]:
    """What duties follow from, by contract, in a read for each kind however many contracts there are."""
    found: dict[UUID, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    reads = (queries.notices, queries.variations, queries.assessments, queries.findings, queries.claimed)
    for read in reads:
        for each in await read(session, ids):
            found[each.contract_id][read.__name__].append(each)
    return found


def commitment(row: Contract, parts: dict[str, list[Any]]) -> duties.Commitment:
    """The contract as the rules on duties look at it."""
    hand_back = (row.termination or {}).get("hand_back") or {}
    terminated = row.status == Status.TERMINATED
    return duties.Commitment(
        legal_route=row.legal_route,
        value_pence=row.value_pence,
        entered_on=row.entered_on,
        starts_on=row.starts_on,
        ended_on=row.ended_on,
        variations=[(each.number, each.effective_on) for each in parts["variations"]],
        assessments=[each.assessed_on for each in parts["assessments"]],
        findings=[(each.number, each.opened_on) for each in parts["findings"]],
        earned=[duties.Earned(each.code, each.earned_pence, each.due_on, each.paid_on) for each in parts["claimed"]],
        hand_back_due_on=date.fromisoformat(hand_back["due_on"]) if terminated and hand_back else None,
        handed_back_on=date.fromisoformat(hand_back["done_on"]) if "done_on" in hand_back else None,
        notices=[
            duties.Published(duties.Notice(each.kind), each.published_on, each.subject) for each in parts["notices"]
        ],
    )


async def note(session: AsyncSession, *, row: Contract, body: NoticeIn, caller: Caller, now: datetime) -> Notice:
    """A notice about the contract was published."""
    if ROLES[caller.kind] is not Role.COMMISSIONER:
        raise NotTheirMove("Notices are for the commissioner to publish.")
    if row.entered_on is None:
        raise MoveNotAllowed("No notice is due before every party has signed.", status_now=row.status)
    if body.published_on > london_date(now):
        raise BadTerms("A notice cannot be dated in the future.", errors=[{"pointer": "/published_on"}])
    number = len(await queries.notices(session, [row.id])) + 1
    made = Notice(contract_id=row.id, number=number, recorded_at=now, **body.model_dump())
    session.add(made)
    await tell(session, row, "notice.published", caller, now, number=number, notice=body.kind.value)
    return made
