"""The register as arrays: every school of a phase, kept until the register changes."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.rules.comparators import Floats, Ints
from services.outcomes.rules.population import Bools, Population, Spells, contract_spells
from services.outcomes.rules.ringfence import Term, breaks_of
from services.outcomes.rules.schools import mainstream, selective
from services.outcomes.rules.succession import Side, linked_side

NOBODY = -1
LONG_AGO, FOREVER = date.min.toordinal(), date.max.toordinal()


@dataclass(frozen=True, slots=True, eq=False)
class Register:
    """The schools of a phase as the register has them now, in the order of their present URNs; a place is a school.

    `lives` are all URNs that these schools have had, earlier ones first, each with its school's place in `places`.
    Memberships are half-open, in ordinals of days. `continuities` is a digest of who is whom, and of rolls.
    """

    version: "Version"
    continuities: bytes
    phase: str
    urns: Ints
    open: Bools
    mainstream: Bools
    selective: Bools
    on_roll: Ints
    lives: Ints
    places: Ints
    place_of: Mapping[int, int]
    trust_uids: Mapping[str, int]
    members: Ints
    trusts: Ints
    joined: Ints
    left: Ints
    moves: Spells
    contracts: Spells

    def trusts_on(self, day: date) -> Ints:
        """The trust of each school on a day, as a place in `trust_uids`; -1 for none."""
        found: Ints = np.full(len(self.urns), NOBODY)
        inside = (self.joined <= day.toordinal()) & (self.left > day.toordinal())
        found[self.members[inside]] = self.trusts[inside]
        return found

    def population(self, on: date, features: Floats) -> Population:
        """The schools as they may be compared from a day on, with these characteristics."""
        return Population(
            self.phase,
            self.urns,
            self.open,
            self.mainstream,
            self.selective,
            self.trusts_on(on),
            self.trust_uids,
            features,
            self.moves,
            self.contracts,
        )


SCHOOLS = text(
    "SELECT urn, kind, kind_group, admissions, open, pupils, lives FROM (SELECT DISTINCT ON (school_id) school_id, urn,"
    " phase, kind, kind_group, admissions, status LIKE 'open%' AS open, pupils, array_agg(urn) OVER (PARTITION BY"
    " school_id) AS lives FROM outcomes.establishment ORDER BY school_id, (status LIKE 'open%') DESC,"
    " opened_on DESC NULLS LAST, urn DESC) AS present WHERE phase = :phase ORDER BY urn"
)
PHASES = text(
    "SELECT DISTINCT ON (asked.urn) asked.urn, present.phase FROM outcomes.establishment AS asked"
    " JOIN outcomes.establishment AS present USING (school_id) WHERE asked.urn = ANY(:urns)"
    " ORDER BY asked.urn, (present.status LIKE 'open%') DESC, present.opened_on DESC NULLS LAST, present.urn DESC"
)
MEMBERSHIPS = text(
    "SELECT urn, trust_uid, joined_on, joined_inferred, left_on, left_inferred FROM outcomes.membership"
    " WHERE urn = ANY(:urns) ORDER BY urn, joined_on"
)
MERGERS = text(
    "SELECT urn, linked_urn, kind, established_on FROM outcomes.establishment_link WHERE established_on IS NOT NULL"
    " AND kind NOT IN ('Predecessor', 'Successor') ORDER BY id"
)
FENCES = text("SELECT school_urn, starts_on, ends_on, breaks FROM outcomes.ring_fence ORDER BY school_urn, starts_on")
VERSION = text(
    "SELECT (SELECT count(*) FROM outcomes.register_change),"
    " (SELECT id FROM outcomes.register_change ORDER BY id DESC LIMIT 1)"
)
Version = tuple[int, UUID | None]
KEPT: dict[str, Register] = {}


async def version_of(session: AsyncSession) -> Version:
    """What the register is known by until it changes: how many changes there were, and the latest."""
    changes, latest = (await session.execute(VERSION)).one()
    return changes, latest


async def phases(session: AsyncSession, urns: Sequence[int]) -> dict[int, str]:
    """The phase of each of these schools under its present URN; unknown ones are left out."""
    return {row.urn: row.phase for row in await session.execute(PHASES, {"urns": list(urns)})}


async def register(session: AsyncSession, phase: str) -> Register:
    """The schools of a phase, read anew when the register has changed since."""
    while True:
        version, known = await version_of(session), KEPT.get(phase)
        if known is not None and known.version == version:
            return known
        KEPT[phase] = await read_register(session, phase, version)


async def read_register(session: AsyncSession, phase: str, version: Version) -> Register:
    """The schools of a phase, as the database has them."""
    rows = (await session.execute(SCHOOLS, {"phase": phase})).all()
    lives = sorted((urn == row.urn, urn, place) for place, row in enumerate(rows) for urn in row.lives)
    places = {urn: place for _now, urn, place in lives}
    members = (await session.execute(MEMBERSHIPS, {"urns": list(places)})).all()
    fences = (await session.execute(FENCES)).all()
    mergers = [row for row in (await session.execute(MERGERS)).all() if linked_side(row.kind) is not Side.NEITHER]
    uids = {uid: at for at, uid in enumerate(sorted({row.trust_uid for row in members}))}
    moves = [
        (places[row.urn], day, day)
        for row in members
        for day, inferred in ((row.joined_on, row.joined_inferred), (row.left_on, row.left_inferred))
        if day is not None and not inferred
    ]
    moves += [
        (places[urn], row.established_on, row.established_on)
        for row in mergers
        for urn in (row.urn, row.linked_urn)
        if urn in places
    ]
    terms = [(row.school_urn, Term(row.starts_on, row.ends_on, breaks_of(row.breaks))) for row in fences]
    rolls, every, whose = (
        whole(row.pupils or 0 for row in rows),
        whole(urn for _now, urn, _place in lives),
        whole(place for _now, _urn, place in lives),
    )
    digest = hashlib.sha256(b"".join(each.tobytes() for each in (rolls, every, whose))).digest()
    return Register(
        version,
        digest,
        phase,
        whole(row.urn for row in rows),
        truths(row.open for row in rows),
        truths(mainstream(row.kind, row.kind_group) for row in rows),
        truths(selective(row.admissions) for row in rows),
        rolls,
        every,
        whose,
        places,
        uids,
        whole(places[row.urn] for row in members),
        whole(uids[row.trust_uid] for row in members),
        whole(LONG_AGO if row.joined_inferred else row.joined_on.toordinal() for row in members),
        whole(FOREVER if row.left_on is None else row.left_on.toordinal() for row in members),
        Spells.of(moves),
        contract_spells(places, terms),
    )


def whole(numbers: Iterable[Any]) -> Ints:
    """Whole numbers as an array."""
    return np.array(list(numbers), dtype=np.int64)


def truths(found: Iterable[bool]) -> Bools:
    """Yes and no as an array."""
    return np.array(list(found), dtype=np.bool_)
