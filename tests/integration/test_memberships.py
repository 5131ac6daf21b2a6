"""Who is in which trust, as files of groups, of their links and of establishments come, in whatever order."""

from collections.abc import Sequence
from itertools import permutations

import pytest

from services.kernel.types import Kind
from services.outcomes.feeds.gias_establishments import FULL
from tests.integration.registers import Register, table
from tests.integration.test_releases import send
from tests.world import World, change

Link = tuple[int, str, str, str]
"""URN, trust, joining day, and `Open`, `Closed` or the day on which the trust closed."""
Ends = dict[int, list[tuple[str, str, str | None, bool]]]
OTHERS: list[Link] = [(110000 + each, "20", "01-09-2015", "Open") for each in range(12)]
"""Other schools, that stay."""
HELD = (
    "SELECT urn, trust_uid, joined_on::text, left_on::text, left_inferred FROM outcomes.membership"
    " WHERE urn < 110000 ORDER BY urn, joined_on"
)
TRANSFERRED = (
    "UPDATE outcomes.membership SET left_on = %(on)s WHERE urn = %(urn)s AND left_on IS NULL",
    "INSERT INTO outcomes.membership (id, urn, trust_uid, joined_on, joined_inferred, left_inferred, source,"
    " transfer_id) VALUES (uuidv7(), %(urn)s, '20', %(on)s, false, false, 'transfer', uuidv7())",
)


def links(rows: Sequence[Link]) -> bytes:
    """A file of all group links."""
    header = "URN,Group UID,Group Type (code),Joined date,Group Status,Closed Date"
    told = [(row, "Open" if row[3] == "Open" else "Closed") for row in (*OTHERS, *rows)]
    ends = {"Open": "", "Closed": ""}
    lines = [f"{urn},{uid},6,{joined},{status},{ends.get(end, end)}" for (urn, uid, joined, end), status in told]
    return "\n".join((header, *lines)).encode()


def groups(**closed: str) -> bytes:
    """A file of all groups: trusts by T and their UID, each open, closed, or closed on a day."""
    header = "Group UID,Group Name,Group Type (code),Group Type,Group Status,Closed Date"
    told = {"T20": "Open", **closed}
    lines = [
        f"{uid[1:]},{uid},6,Multi-academy trust,{'Open' if end == 'Open' else 'Closed'},"
        f"{'' if end in {'Open', 'Closed'} else end}"
        for uid, end in told.items()
    ]
    return "\n".join((header, *lines)).encode()


def schools(trusts: dict[int, str]) -> bytes:
    """A file of establishments, each in a trust."""
    return table(
        {urn: {"trust": uid, "trust_flag": "3" if uid else "2"} for urn, uid in trusts.items()}, FULL, FULL.columns
    )


class Memberships(Register):
    """Memberships after each file."""

    async def after(self, feed: str, day: str, content: bytes) -> Ends:
        """What is known of schools after a file of this day."""
        await self.sent(content, f"gias_{feed}", day)
        found: Ends = {}
        for urn, *held in self.world.rows(HELD):
            found.setdefault(urn, []).append(tuple(held))
        return found


A, B, C, D, E = range(100001, 100006)
FIRST: list[Link] = [(A, "17", "01-09-2012", "Open"), (B, "17", "01-09-2013", "Open"), (C, "18", "01-09-2014", "Open")]
IN_A, IN_B, IN_C = (
    ("17", "2012-09-01", None, False),
    ("17", "2013-09-01", None, False),
    ("18", "2014-09-01", None, False),
)


async def test_members_of_a_trust_that_closed_left_it_on_that_day(world: World) -> None:
    register = Memberships(world)
    assert await register.after("group_links", "2023-01-01", links(FIRST)) == {A: [IN_A], B: [IN_B], C: [IN_C]}
    closed: list[Link] = [
        (urn, uid, joined, "31-08-2023" if uid == "17" else "Closed") for urn, uid, joined, _ in FIRST
    ]
    left: Ends = {
        A: [(*IN_A[:2], "2023-08-31", False)],
        B: [(*IN_B[:2], "2023-08-31", False)],
        C: [(*IN_C[:2], "2023-10-01", True)],
    }
    assert await register.after("group_links", "2023-10-01", links(closed)) == left
    again = links([*closed, (D, "21", "01-09-2014", "31-12-2015")])
    assert await register.after("group_links", "2023-10-02", again) == left, (
        "nobody is put into a trust that has closed"
    )
    moved: list[Link] = [(A, "19", "01-09-2023", "Open"), (B, "19", "01-06-2023", "Open"), closed[2]]
    after = await register.after("group_links", "2023-11-01", links(moved))
    assert after == {
        A: [*left[A], ("19", "2023-09-01", None, False)],
        B: [("17", "2013-09-01", "2023-06-01", False), ("19", "2023-06-01", None, False)],
        C: left[C],
    }
    told = {**after, C: [(*IN_C[:2], "2023-09-30", False)]}
    assert await register.after("groups", "2023-11-02", groups(T17="31-08-2023", T18="30-09-2023", T19="Open")) == told
    assert await register.after("group_links", "2023-11-03", links([*moved, (D, "20", "", "Open")])) | {D: []} == (
        told | {D: []}
    )


FILES = {
    "groups": ("2024-06-01", groups(T17="15-05-2024", T18="Open")),
    "group_links": ("2024-05-01", links(FIRST)),
    "establishments": ("2024-04-01", schools({A: "17", B: "17", C: "18"})),
}


@pytest.mark.parametrize("order", list(permutations(FILES)))
async def test_what_the_groups_say_of_closing_does_not_hang_on_which_file_came_first(
    world: World, order: tuple[str, ...]
) -> None:
    register = Memberships(world)
    for feed in order:
        found = await register.after(feed, *FILES[feed])
    left = {urn: [(*known[:2], "2024-05-15", False)] for urn, known in ((A, IN_A), (B, IN_B))}
    assert found == {**left, C: [IN_C]}


async def test_groups_that_are_older_than_what_is_shown_end_nothing(world: World) -> None:
    register = Memberships(world)
    known = await register.after("group_links", "2024-05-01", links(FIRST))
    assert await register.after("groups", "2024-04-01", groups(T17="31-03-2024", T18="Closed")) == known
    await register.after("establishments", "2024-05-20", schools({A: "17", B: "", C: "18"}))
    found = await register.after("groups", "2024-05-10", groups(T17="31-03-2024", T18="Closed", T19="Open"))
    assert found == {A: [IN_A], B: [(*IN_B[:2], "2024-03-31", False)], C: [IN_C]}
    found = await register.after("groups", "2024-05-20", groups(T17="31-03-2024", T18="Closed"))
    assert found[A] == [(*IN_A[:2], "2024-03-31", False)]
    assert found[C] == [(*IN_C[:2], "2024-05-20", True)]
    after = await register.after("establishments", "2024-05-20", schools({A: "17", B: "17", C: "18", D: ""}))
    assert after == found


async def test_groups_that_say_the_same_again_are_newer_than_what_was_shown_before(world: World) -> None:
    register, told = Memberships(world), groups(T17="31-03-2024")
    known = await register.after("group_links", "2024-05-01", links(FIRST))
    assert await register.after("groups", "2024-04-01", told) == known
    form = {"feed": "gias_groups", "academic_year": None, "published_on": "2024-06-01"}
    again = await send(world, await world.client(Kind.DFE), told, **form)
    assert again["reason_code"] == "same_values"
    left = [(A, *IN_A[:2], "2024-03-31", False), (B, *IN_B[:2], "2024-03-31", False), (C, *IN_C)]
    assert world.rows(HELD) == left


async def test_a_school_that_all_group_links_lack_has_left(world: World) -> None:
    register = Memberships(world)
    await register.after("establishments", "2023-01-01", schools({D: "18", E: "20"}))
    known = await register.after("group_links", "2023-02-01", links(FIRST))
    seen = ("18", "2023-01-01", None, False)
    assert known == {A: [IN_A], B: [IN_B], C: [IN_C], D: [seen], E: [("20", *seen[1:])]}, (
        "no links showed it there before"
    )
    for statement in TRANSFERRED:
        change(world.database_url, statement, urn=C, on="2023-03-01")
    again, unusable = links([*FIRST[1:], (E, "20", "01-01-2020", "Open")]), b"\n99,17,6,01-09-2012,Open,"
    for file, day in ((links(FIRST[1:]), "2023-02-01"), (again + unusable, "2023-02-02")):
        assert (await register.after("group_links", day, file))[A] == [IN_A]
    left = await register.after("group_links", "2023-03-02", links([*FIRST[2:], (B, "17", "never", "Open")]))
    gone = [("20", "2020-01-01", "2023-03-02", True)]
    ahead = [("18", "2014-09-01", "2023-03-01", False), ("20", "2023-03-01", None, False)]
    assert left == {A: [(*IN_A[:2], "2023-03-02", True)], B: [IN_B], C: ahead, D: [seen], E: gone}
    await register.after("establishments", "2023-03-04", schools({B: "17", C: "18", D: "18"}))
    assert await register.after("group_links", "2023-03-03", links([])) == left, (
        "another file of that day shows it there"
    )
    told = "SELECT type FROM outcomes.event WHERE type LIKE 'membership.%%' ORDER BY position"
    assert world.rows(told) == [("membership.unconfirmed",)] * 3
    back = await register.after("group_links", "2023-03-05", links(FIRST[:1]))
    assert back == {A: [IN_A], B: [(*IN_B[:2], "2023-03-05", True)], C: ahead, D: [seen], E: gone}


async def test_group_links_that_come_after_newer_establishments_put_nobody_into_a_trust_of_before(world: World) -> None:
    register = Memberships(world)
    await register.after("establishments", "2024-01-01", schools({A: "", B: "18", C: "18"}))
    since = ("18", "2024-01-01", None, False)
    expected: Ends = {A: [(*IN_A[:2], "2024-01-01", True)], B: [since], C: [IN_C]}
    assert await register.after("group_links", "2023-01-01", links(FIRST)) == expected


async def test_a_part_of_the_group_links_shows_nobody_to_have_left(world: World) -> None:
    register = Memberships(world)
    more: list[Link] = [(120000 + each, "20", "01-09-2015", "Open") for each in range(100)]
    known = await register.after("group_links", "2023-01-01", links([*FIRST, *more]))
    for day, first in (("2023-01-02", 10), ("2023-01-03", 12)):
        assert await register.after("group_links", day, links(more[first:])) == known
    left = await register.after("group_links", "2023-01-04", links(more[2:]))
    assert [found[0][2] for found in left.values()] == ["2023-01-04"] * 3, "it lacks a few only"


async def test_a_school_that_has_closed_is_in_no_trust_that_lists_it_still(world: World) -> None:
    register = Memberships(world)
    await register.after("group_links", "2023-01-01", links(FIRST))
    closed = {"trust": "17", "trust_flag": "3", "status": "Closed", "closed": "31-12-2022"}
    over = [(*IN_A[:2], "2022-12-31", False)]
    await register.after("establishments", "2023-01-02", table({A: closed}, FULL, FULL.columns))
    for day, more in (("2023-01-03", []), ("2023-01-04", [(D, "20", "", "Open")])):
        assert (await register.after("group_links", day, links([*FIRST[:2], *more])))[A] == over
