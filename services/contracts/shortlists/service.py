"""Making a shortlist: what the register says, what suppliers declare and carry, and what became of their contracts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.calls import Beside
from services.contracts.register import Supplier
from services.contracts.rules import capacity, suppliers
from services.contracts.rules.capacity import Commitment, Term
from services.contracts.rules.parties import School
from services.contracts.rules.shortlist import Candidate, Ranked, Reason, exclusions, ranked
from services.contracts.rules.suppliers import MatterKind, Phase
from services.contracts.suppliers import queries
from services.contracts.suppliers.service import capacity_of, sees_matters, standing_of
from services.kernel.auth import Caller
from services.kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class Excluded:
    """A supplier that is left out, and why."""

    uid: str
    name: str
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class Found:
    """Who might help, best first, and who is left out."""

    ranked: Sequence[Ranked]
    excluded: Sequence[Excluded]


async def shortlist(
    session: AsyncSession, *, rows: Sequence[Supplier], school: School, found: Beside, term: Term, caller: Caller
) -> Found:
    """Every supplier on the register but the school's own trust, in its place or with the reasons why it has none."""
    urns = {school.urn, *(int(each["value"]) for each in school.identifiers if each["scheme"] == "urn")}
    matters, held = await queries.live_matters(session, urns), await queries.all_commitments(session)
    records = await queries.records(session)
    candidates, excluded = [], []
    for row in rows:
        if row.uid == school.trust_uid:
            continue
        trust, others = found.trusts.get(row.uid), held.get(row.uid, [])
        against = obstacles(row, matters.get(row.uid, set()), others, term, school, caller)
        reasons = exclusions(trust, [Phase(each) for each in row.phases], found.phase, against)
        if reasons or trust is None:
            excluded.append(Excluded(row.uid, row.name, reasons))
            continue
        load = capacity.peak(others, term)
        candidates.append(Candidate(trust, found.phase, capacity_of(row), load, records.of(row.uid)))
    return Found(ranked(candidates), excluded)


def obstacles(
    row: Supplier,
    matters: Collection[MatterKind],
    others: Sequence[Commitment],
    term: Term,
    school: School,
    caller: Caller,
) -> list[DomainError]:
    """All that an offer to this supplier would run into."""
    standing = suppliers.obstacles(standing_of(row, matters), told=sees_matters(caller, row.uid))
    return [*standing, *capacity.obstacles(capacity_of(row), others, term, school.pupils)]
