"""What happens to ring-fences and memberships: opened by a contract, closed by a transfer, each exactly once."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.errors import DomainError, NotFound
from services.kernel.events import record
from services.kernel.types import plain
from services.outcomes import identifiers
from services.outcomes import queries as register
from services.outcomes.models import Event, FullMembership, RingFence
from services.outcomes.rules.membership import TRANSFER
from services.outcomes.rules.ringfence import Rule, first_dfe_year, first_platform_year
from services.outcomes.rules.years import academic_year_text
from services.outcomes.schools import Establishment, Membership, SchoolIdentifier
from services.outcomes.tables import queries
from services.outcomes.tables.schemas import FullMembershipIn, RingFenceIn

TRANSFERRED = "transferred"


class RingFenceClosed(DomainError):
    """The school is a full member already; its ring-fence does not change any more."""

    code = "ring_fence_closed"
    title = "The ring-fence is closed"


class AlreadyTransferred(DomainError):
    """Another transfer has ended this contract."""

    code = "already_transferred"
    title = "The contract has ended in another transfer"


class TakenUrn(DomainError):
    """The new URN is that of a school that was open before."""

    code = "urn_taken"
    title = "The URN is another school's"


class LaterMembership(DomainError):
    """The school joined its present trust on or after the day of the transfer."""

    code = "later_membership"
    title = "The register shows a later membership"


async def fence(
    session: AsyncSession, *, contract_id: UUID, body: RingFenceIn, caller: Caller, now: datetime
) -> RingFence:
    """Open the contract's ring-fence, or set its days; saying the same again changes nothing."""
    row = await queries.ring_fence(session, contract_id)
    wanted = body.model_dump() | {"breaks": plain([each.model_dump() for each in body.breaks])}
    if row is None:
        row = RingFence(contract_id=contract_id, opened_at=now, **wanted)
        kind = "ring_fence.opened"
    elif {name: getattr(row, name) for name in wanted} == wanted:
        return row
    elif row.closed_on is not None:
        raise RingFenceClosed(f"It was closed on {row.closed_on}: {row.closed_reason}.")
    else:
        for name, value in wanted.items():
            setattr(row, name, value)
        kind = "ring_fence.changed"
    session.add(row)
    await session.flush()
    record(session, Event, kind=kind, subject_id=contract_id, actor=caller.actor(), data=plain(wanted), now=now)
    return row


async def join(
    session: AsyncSession, *, bodies: Sequence[FullMembershipIn], rule: Rule, caller: Caller, now: datetime
) -> list[dict[str, Any]]:
    """Make schools full members: ring-fences closed, memberships opened, identifiers added, or nothing at all.

    The same transfer again gives the first answer. Raises AlreadyTransferred, LaterMembership or NotFound.
    """
    contract_ids = [each.contract_id for each in bodies]
    fences = await queries.locked_ring_fences(session, contract_ids)
    if len(fences) < len(set(contract_ids)):
        raise NotFound("The contract has no ring-fence.")
    before = await queries.full_memberships(session, contract_ids)
    for each in before.values():
        if each.transfer_id not in {body.transfer_id for body in bodies if body.contract_id == each.contract_id}:
            raise AlreadyTransferred(f"Transfer {each.transfer_id} was carried out on {each.effective_on}.")
    new = [each for each in bodies if each.contract_id not in before]
    for body in new:
        await rename(session, body)
        close_fence(session, fences[body.contract_id], body.effective_on, caller, now)
    present = await queries.open_memberships(session, [each.school_urn for each in new])
    for body in new:
        leave(present.get(body.school_urn), body.effective_on)
    await session.flush()
    answers = {each.contract_id: open_one(session, body=each, rule=rule, caller=caller, now=now) for each in new}
    return [before[each].answer if each in before else answers[each] for each in contract_ids]


def open_one(
    session: AsyncSession, *, body: FullMembershipIn, rule: Rule, caller: Caller, now: datetime
) -> dict[str, Any]:
    """Open the membership of one school; gives what that leads to."""
    urn = body.new_urn or body.school_urn
    alike: dict[str, Any] = {"transfer_id": body.transfer_id, "urn": urn, "trust_uid": body.trust_uid}
    session.add(Membership(joined_on=body.effective_on, source=TRANSFER, **alike))
    answer = answer_of(body, urn, rule)
    made: dict[str, Any] = {
        "contract_id": body.contract_id,
        "effective_on": body.effective_on,
        "answer": answer,
        "created_at": now,
    }
    session.add(FullMembership(**alike, **made))
    actor, subject = caller.actor(), body.contract_id
    record(session, Event, kind="membership.opened", subject_id=subject, actor=actor, data=answer, now=now)
    return answer


def close_fence(session: AsyncSession, row: RingFence, on: date, caller: Caller, now: datetime) -> None:
    """The school is a full member from this day on: its results are kept apart no more."""
    row.closed_on, row.closed_reason = on, TRANSFERRED
    row.ends_on = min(row.ends_on, on - timedelta(days=1))
    session.add(row)
    facts = {"closed_on": on, "closed_reason": TRANSFERRED, "ends_on": row.ends_on}
    record(
        session, Event, kind="ring_fence.closed", subject_id=row.contract_id, actor=caller.actor(), data=facts, now=now
    )


def answer_of(body: FullMembershipIn, urn: int, rule: Rule) -> dict[str, Any]:
    """What a transfer leads to: from which year the school's results count for the trust."""
    answer: dict[str, Any] = plain(
        {
            "transfer_id": body.transfer_id,
            "contract_id": body.contract_id,
            "urn": str(urn),
            "trust_uid": body.trust_uid,
            "effective_on": body.effective_on,
            "first_platform_year": academic_year_text(first_platform_year(body.effective_on, rule.census)),
            "first_dfe_year": academic_year_text(first_dfe_year(body.effective_on, rule.census)),
        }
    )
    return answer


def leave(present: Membership | None, on: date) -> None:
    """End the school's present membership, if it has one; raises LaterMembership when that began later."""
    if present is None:
        return
    if present.joined_inferred and present.joined_on >= on:
        present.joined_on = on - timedelta(days=1)
    if present.joined_on >= on:
        raise LaterMembership(f"It joined trust {present.trust_uid} on {present.joined_on}.")
    present.left_on, present.left_inferred = on, False


async def rename(session: AsyncSession, body: FullMembershipIn) -> None:
    """The school has other identifiers from this day on; what it achieved under the old ones stays its own.

    Raises NotFound, or TakenUrn where the new URN is another school's.
    """
    wanted = {"urn": body.new_urn, "laestab": body.new_laestab}
    given = {scheme: str(value) for scheme, value in wanted.items() if value is not None}
    if not given:
        return
    school = await register.establishment(session, body.school_urn)
    if school is None:
        raise NotFound(f"No school with URN {body.school_urn} is in the register as ingested.")
    own = await identifiers.kept(session, school.school_id)
    there = await session.get(Establishment, body.new_urn) if body.new_urn else None
    if there is not None and there.school_id != school.school_id:
        before = there.opened_on is not None and there.opened_on < body.effective_on
        if before or await queries.open_memberships(session, [there.urn]):
            raise TakenUrn(f"URN {there.urn} is {there.name}, which was open before.")
        there.school_id = school.school_id
        session.add(there)
    for each in own:
        if getattr(body, f"new_{each.scheme}", None) is not None and each.valid_to is None:
            each.valid_to = body.effective_on
            session.add(each)
    for scheme, value in given.items():
        if not any((each.scheme, each.value) == (scheme, value) for each in own):
            held = SchoolIdentifier(school_id=school.school_id, scheme=scheme, value=value, source=TRANSFER)
            held.valid_from = body.effective_on
            session.add(held)
