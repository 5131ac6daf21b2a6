"""What a snapshot of the register changes about who belongs to which trust."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.membership import NOTHING, TRANSFER, Changes, Member, Sight, one_trust, reconcile

DAY = date(2024, 9, 1)


def day(offset: int) -> date:
    return DAY + timedelta(days=offset)


def member(
    trust: str,
    joined: int,
    left: int | None = None,
    *,
    inferred: bool = False,
    ended: bool = False,
    source: str = "gias",
) -> Member:
    identity = UUID(int=joined + 10_000)
    until = None if left is None else day(left)
    return Member(identity, trust, day(joined), inferred, until, ended, source)


def sight(
    trust: str | None, on: int, joined: int | None = None, left: int | None = None, closed: bool = False
) -> Sight:
    since, until = (None if each is None else day(each) for each in (joined, left))
    return Sight(trust, since, day(on), "gias_group_links", until, closed)


def opened(trust: str, joined: int, inferred: bool) -> Member:
    return Member(None, trust, day(joined), inferred, None, False, "gias_group_links")


def applied(known: list[Member], changes: Changes) -> list[Member]:
    changed = {each.id: each for each in changes.changed}
    fresh = [replace(each, id=UUID(int=len(known))) for each in changes.opened]
    return [changed.get(each.id, each) for each in known] + fresh


def test_a_first_membership_with_and_without_its_day() -> None:
    assert reconcile([], sight("A", 100, 50)).opened == (opened("A", 50, False),)
    assert reconcile([], sight("A", 100)).opened == (opened("A", 100, True),)
    assert reconcile([], sight(None, 100)) is NOTHING


def test_the_same_trust_is_kept() -> None:
    assert reconcile([member("A", 0)], sight("A", 100, 50)) is NOTHING
    assert reconcile([member("A", 0, inferred=True)], sight("A", 100)) is NOTHING


def test_an_inferred_joining_day_is_corrected() -> None:
    known = member("A", 100, inferred=True)
    assert reconcile([known], sight("A", 200, 40)).changed == (
        replace(known, joined_on=day(40), joined_inferred=False),
    )
    assert reconcile([known], sight("A", 60)).changed == (replace(known, joined_on=day(60)),)
    ended = replace(known, left_on=day(300))
    assert reconcile([ended], sight("A", 200, 40)).changed == (
        replace(ended, joined_on=day(40), joined_inferred=False),
    )


def test_a_correction_moves_the_inferred_end_before_it() -> None:
    before, known = member("A", 0, 100, ended=True), member("B", 100, inferred=True)
    found = reconcile([known, before], sight("B", 200, 40))
    assert found.changed == (
        replace(before, left_on=day(40), left_inferred=False),
        replace(known, joined_on=day(40), joined_inferred=False),
    )
    assert reconcile([replace(before, left_inferred=False), known], sight("B", 200, 40)) is NOTHING
    assert reconcile([before, known], sight("B", 200, 100)).changed == (replace(known, joined_inferred=False),)


def test_another_trust_ends_the_membership_on_the_day_of_joining() -> None:
    known = member("A", 0)
    found = reconcile([known], sight("B", 100, 50))
    assert found == Changes((replace(known, left_on=day(50)),), (opened("B", 50, False),))


def test_without_a_day_the_end_is_inferred_from_the_snapshot() -> None:
    known = member("A", 0)
    ended = replace(known, left_on=day(100), left_inferred=True)
    assert reconcile([known], sight("B", 100)) == Changes((ended,), (opened("B", 100, True),))
    assert reconcile([known], sight("B", 100, -5)) == Changes((ended,), (opened("B", 100, True),))
    assert reconcile([known], sight(None, 100)) == Changes((ended,))
    closed = replace(known, left_on=day(80))
    assert reconcile([known], sight(None, 100, left=80)) == Changes((closed,))


def test_an_older_snapshot_ends_nothing_that_began_after_it() -> None:
    for source in ("gias", TRANSFER):
        known = [member("A", 0, 100), member("B", 100, source=source)]
        for trust in ("A", "C", None):
            assert reconcile(known, sight(trust, 100)) is NOTHING
            assert reconcile(known, sight(trust, 50, 0)) is NOTHING


def test_a_snapshot_that_lags_behind_a_transfer_is_flagged() -> None:
    known = [member("A", 0, 100), member("B", 100, source=TRANSFER)]
    assert reconcile(known, sight("A", 150, 0)) == Changes(unconfirmed=True)
    assert reconcile([known[1]], sight(None, 150)) == Changes(unconfirmed=True)
    assert reconcile(known, sight("B", 150)) == Changes(confirmed=True)
    assert reconcile(known, sight("B", 99)) is NOTHING
    assert reconcile(known, sight("A", 150, 120)).opened == (opened("A", 120, False),)
    assert reconcile(known, sight("C", 150)).opened == (opened("C", 150, True),)
    assert reconcile([known[1]], sight(None, 150, left=140)).changed == (replace(known[1], left_on=day(140)),)


def test_after_an_end_the_school_may_be_in_a_trust_again() -> None:
    past = member("A", 0, 100, ended=True)
    assert reconcile([past], sight("B", 90)) is NOTHING
    assert reconcile([past], sight("B", 200)).opened == (opened("B", 200, True),)
    assert reconcile([past], sight("B", 200, 60)) == Changes(
        (replace(past, left_on=day(60), left_inferred=False),), (opened("B", 60, False),)
    )
    known = replace(past, left_inferred=False)
    assert reconcile([known], sight("B", 200, 60)) == reconcile([past], sight("B", 200, 60)), "it joined before that"
    assert reconcile([known], sight("B", 200, -5)).opened == (opened("B", 100, True),)


def test_an_end_that_was_only_inferred_is_taken_back() -> None:
    past = member("A", 0, 100, ended=True)
    back = replace(past, left_on=None, left_inferred=False)
    assert reconcile([past], sight("A", 200, 0)) == Changes((back,))
    inferred = replace(past, joined_inferred=True)
    corrected = replace(back, joined_on=day(-50), joined_inferred=False)
    assert reconcile([inferred], sight("A", 200, -50)) == Changes((corrected,))


def test_who_is_in_a_trust_that_has_closed_left_it_on_that_day() -> None:
    known, late = member("A", 0), member("B", 100)
    assert reconcile([known], sight("A", 200, 0, 150, closed=True)).changed == (replace(known, left_on=day(150)),)
    inferred = replace(known, left_on=day(200), left_inferred=True)
    for unknown in (None, 0, -10):
        assert reconcile([known], sight("A", 200, 0, unknown, closed=True)).changed == (inferred,)
    assert reconcile([inferred], sight("A", 300, 0, 150, closed=True)).changed == (replace(known, left_on=day(150)),)
    assert reconcile([inferred], sight(None, 300, left=150)).changed == (replace(known, left_on=day(150)),)
    assert reconcile([replace(inferred, left_on=day(100)), late], sight("A", 300, 0, 50, closed=True)).changed == (
        replace(known, left_on=day(50)),
    )
    for nothing in ([], [late], [replace(known, left_on=day(100))], [replace(inferred, left_on=day(140))]):
        assert reconcile(nothing, sight("A", 200, 0, 150, closed=True)) is NOTHING
    assert reconcile([known], sight("A", 0, 0, -1, closed=True)) is NOTHING, "it joined later than that"


def test_a_transfer_is_ahead_of_a_register_that_shows_the_trust_of_before_or_none() -> None:
    before, moved = member("A", 0, 100), member("B", 100, source=TRANSFER)
    for trust, left in (("A", 100), ("A", None), ("B", 90), ("B", None)):
        assert reconcile([before, moved], sight(trust, 150, None, left, closed=True)) == Changes(unconfirmed=True)
        assert reconcile([before, moved], sight(trust, 100, None, left, closed=True)) is NOTHING
    assert reconcile([before, moved], sight(None, 150)) == Changes(unconfirmed=True)
    left = replace(moved, left_on=day(140))
    assert reconcile([before, moved], sight("B", 150, None, 140, closed=True)) == Changes((left,))


def test_a_school_shown_in_several_trusts_is_in_the_one_joined_last() -> None:
    assert one_trust([("A", None), ("B", day(1)), ("C", day(0))]) == ("B", day(1))
    assert one_trust([("A", None), ("B", None)]) == ("B", None)


days = st.integers(-300, 300)
trusts = st.sampled_from(["A", "B", "C"])
sights = st.builds(sight, trusts | st.none(), days, days | st.none(), days | st.none()) | st.builds(
    sight, trusts, days, days | st.none(), days | st.none(), st.just(True)
)


@given(st.lists(sights, max_size=6), sights, st.booleans())
def test_memberships_never_overlap_and_a_snapshot_twice_changes_nothing(
    before: list[Sight], last: Sight, transfer: bool
) -> None:
    known = [member("T", 10, source=TRANSFER)] if transfer else []
    for each in [*before, last]:
        known = applied(known, reconcile(known, each))
        again = reconcile(known, each)
        assert not again.changed
        assert not again.opened
        periods = sorted((row.joined_on, row.left_on or date.max) for row in known)
        assert all(joined < left for joined, left in periods)
        assert all(left <= joined for (_, left), (joined, _) in pairwise(periods))
        assert sum(row.left_on is None for row in known) <= 1


@given(st.lists(sights, max_size=6))
def test_a_transfer_is_never_ended_by_a_snapshot_of_its_day_or_before(found: list[Sight]) -> None:
    transfer = member("T", 10, source=TRANSFER)
    known = [transfer]
    for each in found:
        if each.on <= transfer.joined_on:
            known = applied(known, reconcile(known, each))
    assert transfer in known
