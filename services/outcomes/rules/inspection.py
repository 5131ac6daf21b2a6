"""Inspections by Ofsted: two scales of grades beside each other, never turned into one another (METHOD.md 4.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.outcomes.rules.grades import EXPECTED, GOOD, INADEQUATE, Area, Grade, Scale

BELOW_GOOD_VERSION = "below_good_equiv/1"
"""The version of the rule that calls an inspection of either scale below Good."""


class Framework(StrEnum):
    """What an inspection was held under; those before September 2019 were held under earlier handbooks."""

    BEFORE_2019 = "before_2019"
    EIF2019_OE = "eif2019_oe"
    EIF2024_NO_OE = "eif2024_no_oe"
    REPORT_CARD_2025 = "report_card_2025"
    S8_UNGRADED = "s8_ungraded"


class Concern(StrEnum):
    """The category of concern that an inspection put a school in."""

    NONE = "none"
    SPECIAL_MEASURES = "special_measures"
    SERIOUS_WEAKNESS = "serious_weakness"
    REQ_SIGNIFICANT_IMPROVEMENT = "req_significant_improvement"


class Safeguarding(StrEnum):
    """What an inspection said about safeguarding; the words changed with the report card."""

    EFFECTIVE = "effective"
    NOT_EFFECTIVE = "not_effective"
    MET = "met"
    NOT_MET = "not_met"
    NOT_RECORDED = "not_recorded"


FAILED_SAFEGUARDING = frozenset({Safeguarding.NOT_EFFECTIVE, Safeguarding.NOT_MET})


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspection, of the legal life of a school that it was held in; it belongs to the period in which it started.

    `concern` None: the source does not say. `outcome` is what a visit without grades came to, in Ofsted's words.
    `number` is Ofsted's; `listed_under` the later life under which Ofsted lists it.
    """

    urn: int
    started_on: date
    framework: Framework
    concern: Concern | None = None
    safeguarding: Safeguarding = Safeguarding.NOT_RECORDED
    judgements: tuple[tuple[Area, Grade], ...] = ()
    published_on: date | None = None
    number: str | None = None
    kind: str | None = None
    outcome: str | None = None
    listed_under: int | None = None

    def grade(self, area: Area) -> Grade | None:
        """The grade given for an area; None where none was."""
        found = dict(self.judgements).get(area)
        return found if found is not None and found.ordinal is not None else None


class NoGrade(ValueError):
    """The inspection gave no grade that says whether the school is below Good."""


def framework_on(started_on: date) -> Framework:
    """What a graded inspection of the old scale that began on this day was held under.

    Source: Ofsted's education inspection framework, from 1 September 2019; no overall grade from September 2024.
    """
    if started_on < date(2019, 9, 1):
        return Framework.BEFORE_2019
    return Framework.EIF2019_OE if started_on < date(2024, 9, 1) else Framework.EIF2024_NO_OE


def deciding(inspection: Inspection) -> list[tuple[Grade, Grade]]:
    """The grades that decide whether a school is below Good, each with the lowest that is not."""
    overall = inspection.grade(Area.OVERALL_EFFECTIVENESS)
    if overall is not None:
        return [(overall, GOOD)]
    old = (inspection.grade(Area.QUALITY_OF_EDUCATION), inspection.grade(Area.LEADERSHIP_AND_MANAGEMENT))
    new = inspection.grade(Area.LEADERSHIP_AND_GOVERNANCE)
    found = [(each, GOOD) for each in old if each is not None]
    return found + ([(new, EXPECTED)] if new is not None else [])


def graded(inspection: Inspection) -> bool:
    """Whether the inspection says if the school is below Good; visits without grades do not."""
    return bool(deciding(inspection)) or inspection.concern not in (None, Concern.NONE)


def below_good(inspection: Inspection) -> bool:
    """Whether the inspection found the school below Good, or the equivalent of its scale; raises NoGrade.

    Old scale: overall effectiveness 3 or 4; without one, quality of education or leadership 3 or 4. Report cards:
    leadership and governance `needs attention` or worse. Any category of concern is below Good.
    """
    if not graded(inspection):
        raise NoGrade("The inspection gave no grade.")
    if inspection.concern not in (None, Concern.NONE):
        return True
    return any(grade < lowest for grade, lowest in deciding(inspection))


def requires_improvement(inspection: Inspection) -> bool:
    """Whether a graded inspection found the school below Good, but neither Inadequate nor of concern."""
    worst = any(grade.scale is Scale.OLD4 and grade <= INADEQUATE for grade, _lowest in deciding(inspection))
    return below_good(inspection) and inspection.concern in (None, Concern.NONE) and not worst


def in_order(history: Iterable[Inspection]) -> list[Inspection]:
    """The graded inspections among these, from the first to the last."""
    return sorted((each for each in history if graded(each)), key=lambda each: each.started_on)


def stuck(history: Iterable[Inspection]) -> bool:
    """Whether the latest grade is requires improvement or equivalent, after one below Good (METHOD.md 4.3 and 6)."""
    last = in_order(history)[-2:]
    return len(last) == 2 and requires_improvement(last[1]) and below_good(last[0])


@dataclass(frozen=True, slots=True)
class Standing:
    """Where inspections leave a school: what the last to speak of each said; None where none did."""

    concern: Concern | None
    safeguarding: Safeguarding | None
    led_well: bool | None

    @property
    def vetoes(self) -> tuple[str, ...]:
        """What forbids that a contract counts as met (METHOD.md 3.11)."""
        found = []
        if self.safeguarding in FAILED_SAFEGUARDING:
            found.append("safeguarding_not_met")
        if self.concern is Concern.SPECIAL_MEASURES:
            found.append("special_measures")
        return tuple(found)

    @property
    def strong(self) -> bool | None:
        """Whether the school may join: of no concern, and led to the expected standard; None where not known."""
        if self.concern not in (None, Concern.NONE) or self.led_well is False:
            return False
        return None if self.led_well is None else True


def led_well(inspection: Inspection) -> bool | None:
    """Whether leadership reached Good or the expected standard, else whether the school did; None without a grade."""
    for area, lowest in (
        (Area.LEADERSHIP_AND_GOVERNANCE, EXPECTED),
        (Area.LEADERSHIP_AND_MANAGEMENT, GOOD),
        (Area.OVERALL_EFFECTIVENESS, GOOD),
    ):
        grade = inspection.grade(area)
        if grade is not None:
            return grade >= lowest
    return None


def standing(history: Iterable[Inspection]) -> Standing:
    """What the latest inspection that speaks of each has to say on concern, safeguarding and leadership."""
    latest = sorted(history, key=lambda each: each.started_on, reverse=True)
    said = [each.safeguarding for each in latest if each.safeguarding is not Safeguarding.NOT_RECORDED]
    led = [found for each in latest if (found := led_well(each)) is not None]
    concerns = [each.concern for each in latest if each.concern is not None]
    return Standing(next(iter(concerns), None), next(iter(said), None), next(iter(led), None))
