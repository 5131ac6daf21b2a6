"""Trusts and other groups, who is in them, and which school came before which: GIAS's three other files."""

from collections.abc import Iterator

import numpy as np

from bench.england.country import Country
from bench.england.register import members, trust_name, trust_uid
from bench.england.words import APOSTROPHE, days

GROUPS = (
    "Group UID,Group ID,Group Name,Companies House Number,Group Type (code),Group Type,Closed Date,Open date,"
    "Incorporated on (open date),Group Status (code),Group Status,Group Street,Group Locality,Group Address 3,"
    "Group Town,Group County,Group Postcode,Head of Group Title,Head of Group First Name,Head of Group Last Name,UKPRN"
)
GROUP_LINKS = (
    "URN,Group UID,Group ID,Group Name,Companies House Number,Group Type (code),Group Type,Closed Date,Open date,"
    "Incorporated on (open date),Group Status (code),Group Status,Joined date"
)
LINKS = '"URN","LinkURN","LinkName","LinkType","LinkEstablishedDate"'
SEVERAL, ONE, FEDERATION, SPONSOR = (
    ("6", "Multi-academy trust"),
    ("10", "Single-academy trust"),
    ("1", "Federation"),
    ("5", "School sponsor"),
)
INCORPORATED = "01-09-2011"
CLOSED_TRUSTS, OTHER_GROUPS = 1_000, 3_400
"""Trusts that are no more, and groups that are no trusts, in England."""


def groups(land: Country) -> Iterator[str]:
    """The lines of the groups' file."""
    yield GROUPS
    single, n = set(land.alone.tolist()), land.size.of(2_500)
    for at in range(n):
        yield group(at, *(ONE if at in single else SEVERAL), "")
    for at in range(n, n + land.size.of(CLOSED_TRUSTS)):
        yield group(at, *ONE, "31-08-2021")
    for at in range(n + land.size.of(CLOSED_TRUSTS), n + land.size.of(CLOSED_TRUSTS + OTHER_GROUPS)):
        yield group(at, *(FEDERATION if at % 2 else SPONSOR), "")


def group(at: int, code: str, kind: str, closed: str) -> str:
    """A row of the groups' file."""
    status = "CLOSED,Closed" if closed else "OPEN,Open"
    company = f"{7_000_000 + at:08d}" if code in {"6", "10"} else ""
    name, identifier, ukprn = trust_name(at), f"TR{at:05d}", 10_100_000 + at
    return (
        f"{trust_uid(at)},{identifier},{name},{company},{code},{kind},{closed},,{INCORPORATED},{status},"
        f"1 High Street,,,Oxford,,OX1 1AA,Not recorded,,Not recorded,{ukprn}"
    )


def group_links(land: Country) -> Iterator[str]:
    """The lines of the memberships' file: of trusts, and of sponsors, which are ignored."""
    yield GROUP_LINKS
    places, single = members(land), set(land.alone.tolist())
    since = days(land.joined[places]).tolist()
    for urn, at, day in zip(land.urns[places].tolist(), land.trusts[places].tolist(), since, strict=True):
        code, kind = ONE if at in single else SEVERAL
        name, company = trust_name(at), f"{7_000_000 + at:08d}"
        yield f"{urn},{trust_uid(at)},TR{at:05d},{name},{company},{code},{kind},,,{INCORPORATED},OPEN,Open,{day}"
        if at % 2:
            yield f"{urn},{90_000 + at},SP{at:05d},{name},,{SPONSOR[0]},{SPONSOR[1]},,,,OPEN,Open,{day}"


def links(land: Country) -> Iterator[str]:
    """The lines of the successions' file: both sides of each, a quarter of the days not recorded."""
    yield LINKS
    rng = land.size.generator(4)
    places = np.flatnonzero(land.predecessors >= 0)
    opened = days(land.opened[places]).tolist()
    the_day_before = days(land.opened[places] - 1).tolist()
    earlier = land.urns[land.predecessors[places]].tolist()
    recorded = (rng.random(len(places)) < 0.75).tolist()
    for new, old, day, last, known in zip(
        land.urns[places].tolist(), earlier, opened, the_day_before, recorded, strict=True
    ):
        yield f'{new},{old},"St Mary{APOSTROPHE}s School","Predecessor","{day if known else ""}"'
        yield f'{old},{new},"St Mary{APOSTROPHE}s Academy","Successor","{last if known else ""}"'
