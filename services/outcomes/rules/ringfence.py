"""Whose result is it: decided by dates alone, never by when something was published (METHOD.md 2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.outcomes.rules.measures import KeyStage

CENSUS = (9, 12)
"""Month and day of the census that decides trust membership for a year; not confirmed by DfE, so a parameter."""
FULL_YEARS = 3
ENOUGH_SCHOOLS = 3
ASSESSED: dict[KeyStage, tuple[int, int]] = {
    KeyStage.KS4: (5, 1),
    KeyStage.ABSENCE: (7, 31),
    KeyStage.CENSUS: (1, 15),
}
"""Month and day, in the year that the academic year ends, to which a series belongs; key stage 2: its tests. The census
is taken on the third Thursday of January, the 15th at the earliest."""
TESTS_ELSEWHEN = {2022: date(2023, 5, 9)}
"""First days of test weeks of key stage 2 that were moved, by academic year: 8 May 2023 was a bank holiday."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which results count for a trust (METHOD.md 2.1, 2.2). The defaults are DfE's rule as far as it is published.

    `census` is month and day on which membership is asked for; `full_years` and `schools` how many are needed;
    `time_weighting` `none`, or `cap4` as in 2015/16 and 2016/17. As matters of policy, off: `count_contract_years` lets
    years under a contract that led straight into membership count, `carry_over` keeps apart the results of exams after
    the end of a contract, up to the 31 August that follows.
    """

    version: str = "dfe/1"
    census: tuple[int, int] = CENSUS
    full_years: int = FULL_YEARS
    schools: int = ENOUGH_SCHOOLS
    time_weighting: str = "none"
    count_contract_years: bool = False
    carry_over: bool = False

    @property
    def census_day(self) -> str:
        """Month and day of the census, such as 09-12."""
        return "-".join(f"{each:02}" for each in self.census)

    def census_on(self, year: int) -> date:
        """The census day of the academic year starting in `year`."""
        return census_on(year, self.census)

    def keeps_apart(self, term: "Term", day: date) -> bool:
        """Whether what is assessed on a day is kept apart by a contract of this term."""
        if term.holds(day):
            return True
        august = date(term.ends_on.year + (term.ends_on > date(term.ends_on.year, 8, 31)), 8, 31)
        return self.carry_over and term.ends_on < day <= august

    def counted_from(self, membership: "Membership", terms: Iterable["Term"]) -> date:
        """The day from which full years are counted: that of joining, or of the contract that led into it."""
        led = [each.starts_on for each in terms if each.ends_on + timedelta(days=1) == membership.joined_on]
        return min(led, default=membership.joined_on) if self.count_contract_years else membership.joined_on


DFE_RULE = Rule()


def month_and_day(text: str) -> tuple[int, int]:
    """A day of the year as it is written: 09-12."""
    month, day = (int(part) for part in text.split("-"))
    return month, day


class ContractRole(StrEnum):
    """What a series is to a contract."""

    ACCOUNTABLE = "accountable"
    PARTIAL_YEAR = "partial_year"
    NONE = "none"


class TrustRole(StrEnum):
    """What a series is to a trust."""

    RINGFENCED = "ringfenced"
    TRANSITION = "transition"
    NOT_MEMBER = "not_member"
    DFE_ELIGIBLE = "dfe_eligible"
    LOCAL_ONLY = "local_only"


@dataclass(frozen=True, slots=True)
class Break:
    """Days, first and last, on which a ring-fence rests; without a last one it still does."""

    starts_on: date
    ends_on: date | None

    def touches(self, first: date, last: date) -> bool:
        """Whether any day of the break lies between these days, both included."""
        return self.starts_on <= last and (self.ends_on is None or self.ends_on >= first)


@dataclass(frozen=True, slots=True)
class Term:
    """First and last day of a contract, both part of it, and the breaks in which it does not count.

    `census` is the day from which the supplier must have had the school for a year's results to be its own.
    """

    starts_on: date
    ends_on: date
    breaks: tuple[Break, ...] = ()
    census: tuple[int, int] = CENSUS

    def holds(self, day: date) -> bool:
        """Whether the day belongs to the term and to no break."""
        return self.starts_on <= day <= self.ends_on and self.whole(day, day)

    def whole(self, first: date, last: date) -> bool:
        """Whether no break touches the days from the first to the last."""
        return not any(each.touches(first, last) for each in self.breaks)


def breaks_of(kept: Iterable[Mapping[str, str | None]]) -> tuple[Break, ...]:
    """Breaks as they are kept: days as ISO text, the last one null while the break goes on."""
    found = []
    for each in kept:
        first, last = each["starts_on"], each["ends_on"]
        found.append(Break(date.fromisoformat(str(first)), date.fromisoformat(last) if last else None))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Membership:
    """A school's time in a trust: from the joining day until, not including, the leaving day."""

    joined_on: date
    left_on: date | None

    def holds(self, day: date) -> bool:
        """Whether the school was in the trust on this day."""
        return self.joined_on <= day and (self.left_on is None or day < self.left_on)


def continued(times: Iterable[Membership]) -> tuple[Membership, ...]:
    """Times in one trust, those with no day between them as one: a school that got another URN there has not left."""
    found: list[Membership] = []
    for each in sorted(times, key=lambda each: each.joined_on):
        last = found[-1] if found else None
        if last is None or (last.left_on is not None and each.joined_on > last.left_on + timedelta(days=1)):
            found.append(each)
            continue
        left = max(last.left_on, each.left_on) if last.left_on and each.left_on else each.left_on
        found[-1] = Membership(last.joined_on, left)
    return tuple(found)


def census_on(year: int, census: tuple[int, int] = CENSUS) -> date:
    """The census day of the academic year that starts in `year`."""
    return date(year, *census)


def assessed_on(key_stage: KeyStage, year: int) -> date:
    """The day to which the series of this key stage in the academic year starting in `year` belongs."""
    if key_stage is KeyStage.KS2:
        return TESTS_ELSEWHEN.get(year) or second_monday_of_may(year + 1)
    return date(year + 1, *ASSESSED[key_stage])


def second_monday_of_may(year: int) -> date:
    """When the tests of key stage 2 begin."""
    first = date(year, 5, 1)
    return first + timedelta(days=7 + -first.weekday() % 7)


def full_years(joined_on: date, result_year_start: int, census: tuple[int, int] = CENSUS) -> int:
    """Full academic years in the trust, up to and with the year of the results (METHOD.md 2.1)."""
    in_time = (joined_on.month, joined_on.day) <= census
    first = joined_on.year if in_time else joined_on.year + 1
    return result_year_start - first + 1


def first_dfe_year(joined_on: date, census: tuple[int, int] = CENSUS) -> int:
    """Start of the first academic year whose results DfE counts for the trust: the third full one."""
    year = joined_on.year - 1
    while full_years(joined_on, year, census) < FULL_YEARS:
        year += 1
    return year


def first_platform_year(joined_on: date, census: tuple[int, int] = CENSUS) -> int:
    """Start of the first academic year whose results count among all full members: the first full one."""
    return first_dfe_year(joined_on, census) - FULL_YEARS + 1


def contract_role(term: Term, census_on: date, assessed_on: date) -> ContractRole:
    """What the series assessed on this day is to the contract (METHOD.md 2.2)."""
    if not term.holds(assessed_on):
        return ContractRole.NONE
    full_year = term.starts_on <= census_on and term.whole(census_on, assessed_on)
    return ContractRole.ACCOUNTABLE if full_year else ContractRole.PARTIAL_YEAR


def trust_role(
    membership: Membership | None,
    ring_fences: tuple[Term, ...],
    census_on: date,
    assessed_on: date,
    rule: Rule = DFE_RULE,
) -> TrustRole:
    """What the series is to the trust, given its ring-fences with the school; the first match wins (METHOD.md 2.2)."""
    if any(rule.keeps_apart(term, assessed_on) for term in ring_fences):
        return TrustRole.RINGFENCED
    if membership is None or not membership.holds(assessed_on):
        return TrustRole.NOT_MEMBER
    if not membership.holds(census_on):
        return TrustRole.TRANSITION
    census = (census_on.month, census_on.day)
    years = full_years(rule.counted_from(membership, ring_fences), census_on.year, census)
    return TrustRole.DFE_ELIGIBLE if years >= rule.full_years else TrustRole.LOCAL_ONLY
