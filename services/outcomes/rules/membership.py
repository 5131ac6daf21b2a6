"""What a snapshot of the register says about a school's memberships, beside what is known already.

A snapshot shows one day. It may be older than what is known, it often lacks the joining date, and it follows a
transfer by weeks. Memberships of a school never overlap, and what began after a snapshot is not the snapshot's to end.
Nobody is in a trust that has closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

TRANSFER = "transfer"
"""Source of a membership that a transfer opened: consented to, dated, and ahead of the register."""


@dataclass(frozen=True, slots=True)
class Member:
    """A membership as it is known: half-open, `inferred` where only a snapshot shows it. `id` None: to be opened."""

    id: UUID | None
    trust_uid: str
    joined_on: date
    joined_inferred: bool
    left_on: date | None
    left_inferred: bool
    source: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What a snapshot shows of one school on the day `on`: its trust or none, and the dates that it gives.

    `left_on` is the day on which the establishment closed, for one that has; where its trust has, or the establishment
    though the snapshot shows it in a trust still, that is `closed`, and `left_on` the day if one is published.
    """

    trust_uid: str | None
    joined_on: date | None
    on: date
    source: str
    left_on: date | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """Memberships to be changed (by their id) and to be opened.

    `unconfirmed`: the register lags behind a transfer; `confirmed`: it shows one that was carried out.
    """

    changed: tuple[Member, ...] = ()
    opened: tuple[Member, ...] = ()
    unconfirmed: bool = False
    confirmed: bool = False


NOTHING = Changes()


def reconcile(known: Sequence[Member], sight: Sight) -> Changes:
    """What to change so that the memberships of one school agree with the snapshot; `known` may be in any order.

    Applying the result and asking again gives nothing to change.
    """
    past = sorted(known, key=lambda member: member.joined_on)
    last = past[-1] if past else None
    present = last if last is not None and last.left_on is None else None
    if sight.closed:
        return closing(past, present, sight)
    if present is None:
        return opening(past, sight)
    if present.trust_uid == sight.trust_uid:
        corrected = dated(past, present, sight)
        shown = present.source == TRANSFER and present.joined_on <= sight.on
        return replace(corrected, confirmed=True) if shown else corrected
    if present.joined_on >= sight.on:
        return NOTHING
    if present.source == TRANSFER and lags(past, present, sight):
        return Changes(unconfirmed=True)
    return replacing(present, sight)


def opening(past: Sequence[Member], sight: Sight) -> Changes:
    """The school is in no trust as far as is known: open a membership, unless something later is known.

    A published day of joining another trust ends the membership before it, also one that was to end later.
    """
    trust_uid, joined = sight.trust_uid, sight.joined_on or sight.on
    last = past[-1] if past else None
    if trust_uid is None:
        return Changes(changed=left(last, sight)) if last else NOTHING
    if last is not None and last.left_on is not None and last.left_on > sight.on:
        return dated(past, last, sight) if last.trust_uid == trust_uid else NOTHING
    if last is None or last.left_on is None or last.left_on <= joined:
        return Changes(opened=(fresh(sight, trust_uid, joined, sight.joined_on is None),))
    if last.left_inferred and last.trust_uid == trust_uid and joined <= last.joined_on:
        back = replace(last, left_on=None, left_inferred=False)
        corrected = dated([*past[:-1], back], back, sight)
        return corrected if corrected.changed else Changes(changed=(back,))
    if last.joined_on < joined:
        moved = replace(last, left_on=joined, left_inferred=False)
        return Changes(changed=(moved,), opened=(fresh(sight, trust_uid, joined, False),))
    return Changes(opened=(fresh(sight, trust_uid, last.left_on, True),))


def dated(past: Sequence[Member], present: Member, sight: Sight) -> Changes:
    """The snapshot agrees: a joining day that was inferred is corrected, and with it the inferred end before it."""
    if not present.joined_inferred:
        return NOTHING
    joined, inferred = sight.joined_on, False
    if joined is None:
        joined, inferred = min(present.joined_on, sight.on), True
    if (joined, inferred) == (present.joined_on, True):
        return NOTHING
    corrected = replace(present, joined_on=joined, joined_inferred=inferred)
    before = past[-2] if len(past) > 1 else None
    if before is None or (before.left_on or joined) <= joined:
        return Changes(changed=(corrected,))
    if follows(before, present) and before.left_inferred and before.joined_on < joined and not inferred:
        return Changes(changed=(replace(before, left_on=joined, left_inferred=False), corrected))
    return NOTHING


def follows(before: Member, present: Member) -> bool:
    """Whether the present membership began on the day on which the one before it ended."""
    return before.left_on == present.joined_on


def lags(past: Sequence[Member], present: Member, sight: Sight) -> bool:
    """Whether the snapshot shows what was so before the transfer, or no trust, with no later day of its own."""
    if sight.joined_on is not None and sight.joined_on > present.joined_on:
        return False
    before = past[-2] if len(past) > 1 and follows(past[-2], present) else None
    return sight.left_on is None and sight.trust_uid in {None, before.trust_uid if before else None}


def closing(past: Sequence[Member], present: Member | None, sight: Sight) -> Changes:
    """Nobody is in the trust any more: end the membership in it that is open, or date the end that was inferred.

    A transfer that a snapshot shows to be ahead of the register stays, unless its trust closed after it.
    """
    there = next((member for member in reversed(past) if member.trust_uid == sight.trust_uid), None)
    moved = present is not None and present.source == TRANSFER and present.joined_on < sight.on
    after = there is not None and sight.left_on is not None and sight.left_on > there.joined_on
    if there is not None and there.joined_on < sight.on and (after or there is not present or not moved):
        changed = left(there, sight)
        if changed:
            return Changes(changed=changed)
    return Changes(unconfirmed=True) if moved else NOTHING


def left(member: Member, sight: Sight) -> tuple[Member, ...]:
    """The membership as ended on a day that is published, else, if it is open, by the day of the snapshot; if changed.

    An end that was inferred gives way to a published day that is not later.
    """
    day, until = sight.left_on, member.left_on
    if day is not None and day > member.joined_on and (until is None or (member.left_inferred and day <= until)):
        return (replace(member, left_on=day, left_inferred=False),)
    return () if until is not None else (replace(member, left_on=sight.on, left_inferred=True),)


def replacing(present: Member, sight: Sight) -> Changes:
    """The school has left since: end the present membership and open the one that the snapshot shows, if any."""
    known = sight.joined_on if sight.trust_uid is not None else sight.left_on
    if known is not None and known > present.joined_on:
        left, inferred = known, False
    else:
        left, inferred = sight.on, True
    closed = replace(present, left_on=left, left_inferred=inferred)
    if sight.trust_uid is None:
        return Changes(changed=(closed,))
    return Changes(changed=(closed,), opened=(fresh(sight, sight.trust_uid, left, inferred),))


def fresh(sight: Sight, trust_uid: str, joined_on: date, inferred: bool) -> Member:
    """A membership to be opened."""
    return Member(None, trust_uid, joined_on, inferred, None, False, sight.source)


def one_trust(sights: Sequence[tuple[str, date | None]]) -> tuple[str, date | None]:
    """The trust of a school that a snapshot shows in several: the one joined last, known days before unknown ones."""
    return max(sights, key=lambda sight: (sight[1] is not None, sight[1] or date.min, sight[0]))
