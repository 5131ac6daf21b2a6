"""What outcomes says of trusts beside a school: its schools of the same phase, and how near the nearest one is."""

import pytest

from services.demo import cast
from services.kernel.auth import service_caller
from services.outcomes.shortlists import service
from services.outcomes.shortlists.schemas import NearTrust, ShortlistIn, ShortlistOut
from tests.world import World, change

CALLER = service_caller("contracts")


async def shortlist(world: World, *uids: str, urn: str = cast.SCHOOL) -> ShortlistOut:
    """What outcomes answers."""
    async with world.database("outcomes").transaction(CALLER) as session:
        return await service.shortlist(session, body=ShortlistIn(urn=urn, trust_uids=list(uids)))


async def star(world: World) -> NearTrust:
    """Star Academies beside the school."""
    return (await shortlist(world, cast.SUPPLIER)).trusts[0]


def by_hand(world: World) -> list[tuple[float, int]]:
    """Kilometres to each present member of Star Academies, as the database computes them."""
    found = world.rows(
        "SELECT round((sqrt((e.easting - s.easting)^2 + (e.northing - s.northing)^2) / 1000)::numeric, 1)::float, e.urn"
        " FROM outcomes.membership m JOIN outcomes.establishment e USING (urn), outcomes.establishment s"
        " WHERE m.trust_uid = %(uid)s AND m.left_on IS NULL AND s.urn = %(urn)s AND e.status LIKE 'open%%' ORDER BY 1",
        uid=cast.SUPPLIER,
        urn=int(cast.SCHOOL),
    )
    return [(km, urn) for km, urn in found]


async def test_the_nearest_of_a_trusts_schools_is_found(seeded_world: World) -> None:
    found, expected = await star(seeded_world), by_hand(seeded_world)
    assert (found.nearest_km, found.nearest_urn) == expected[0]
    assert found.schools == len(expected) > 1
    assert 0 < found.same_phase_schools <= found.schools
    assert (found.name, found.status, found.kind) == (cast.SUPPLIER_NAME.upper(), "open", "multi_academy_trust")


async def test_the_school_is_shown_with_its_phase_pupils_and_trust(seeded_world: World) -> None:
    school = (await shortlist(seeded_world)).school
    assert school is not None
    assert (school.name, school.phase_code, school.pupils) == (cast.SCHOOL_NAME, "secondary", 936)
    assert school.trust_uid == cast.OUTGOING


async def test_trusts_come_by_uid_and_unknown_ones_not_at_all(seeded_world: World) -> None:
    found = await shortlist(seeded_world, cast.SUPPLIER, "999999", cast.ANOTHER_TRUST)
    assert [each.uid for each in found.trusts] == sorted([cast.SUPPLIER, cast.ANOTHER_TRUST])
    nothing = await shortlist(seeded_world, cast.SUPPLIER, urn=cast.UNKNOWN_SCHOOL)
    assert (nothing.school, nothing.trusts) == (None, [])


@pytest.mark.parametrize("whose", ["the school", "every member"])
async def test_a_distance_that_is_not_known_is_null(seeded_world: World, whose: str) -> None:
    urns = [int(cast.SCHOOL)] if whose == "the school" else [urn for _, urn in by_hand(seeded_world)]
    forget = "UPDATE outcomes.establishment SET easting = NULL, northing = NULL WHERE urn = ANY (%(urns)s)"
    change(seeded_world.database_url, forget, urns=urns)
    found = await star(seeded_world)
    assert (found.nearest_km, found.nearest_urn) == (None, None)
    assert found.schools > 1


async def test_members_that_left_or_closed_do_not_count(seeded_world: World) -> None:
    before, (nearest, second, *_) = await star(seeded_world), by_hand(seeded_world)
    leave = "UPDATE outcomes.membership SET left_on = joined_on + 1 WHERE urn = %(urn)s AND left_on IS NULL"
    change(seeded_world.database_url, leave, urn=nearest[1])
    found = await star(seeded_world)
    assert (found.nearest_km, found.nearest_urn, found.schools) == (*second, before.schools - 1)
    change(
        seeded_world.database_url,
        "UPDATE outcomes.establishment SET status = 'closed' WHERE urn = %(urn)s",
        urn=second[1],
    )
    assert (await star(seeded_world)).schools == before.schools - 2


async def test_a_school_that_has_no_phase_has_none_of_its_phase(seeded_world: World) -> None:
    strange = "UPDATE outcomes.establishment SET phase = 'Not applicable' WHERE urn = %(urn)s"
    change(seeded_world.database_url, strange, urn=int(cast.SCHOOL))
    found = await shortlist(seeded_world, cast.SUPPLIER)
    assert found.school is not None
    assert (found.school.phase_code, found.trusts[0].same_phase_schools) == (None, 0)
