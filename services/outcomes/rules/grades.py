"""Ofsted's grades: two scales beside each other, never turned into one another (METHOD.md 4.3)."""

from dataclasses import dataclass
from enum import StrEnum
from functools import total_ordering


class Area(StrEnum):
    """What a grade is given for."""

    OVERALL_EFFECTIVENESS = "overall_effectiveness"
    QUALITY_OF_EDUCATION = "quality_of_education"
    BEHAVIOUR_AND_ATTITUDES = "behaviour_and_attitudes"
    PERSONAL_DEVELOPMENT = "personal_development"
    LEADERSHIP_AND_MANAGEMENT = "leadership_and_management"
    EARLY_YEARS_PROVISION = "early_years_provision"
    SIXTH_FORM_PROVISION = "sixth_form_provision"
    INCLUSION = "inclusion"
    CURRICULUM_AND_TEACHING = "curriculum_and_teaching"
    ACHIEVEMENT = "achievement"
    ATTENDANCE_AND_BEHAVIOUR = "attendance_and_behaviour"
    PERSONAL_DEVELOPMENT_AND_WELLBEING = "personal_development_and_wellbeing"
    LEADERSHIP_AND_GOVERNANCE = "leadership_and_governance"
    EARLY_YEARS = "early_years"
    POST_16_PROVISION = "post_16_provision"


class Scale(StrEnum):
    """A scale of grades: of four, 1 the best, until November 2025; of five words since."""

    OLD4 = "old4"
    NEW5 = "new5"


GRADES: dict[Scale, dict[str, tuple[int | None, str]]] = {
    Scale.OLD4: {
        "1": (1, "Outstanding"),
        "2": (2, "Good"),
        "3": (3, "Requires improvement"),
        "4": (4, "Inadequate"),
        "0": (None, "Insufficient evidence"),
        "8": (None, "Does not apply"),
        "9": (None, "No judgement"),
        "not_judged": (None, "Not judged"),
    },
    Scale.NEW5: {
        "exceptional": (5, "Exceptional"),
        "strong_standard": (4, "Strong standard"),
        "expected_standard": (3, "Expected standard"),
        "needs_attention": (2, "Needs attention"),
        "urgent_improvement": (1, "Urgent improvement"),
        "not_applicable": (None, "Not applicable"),
        "not_judged": (None, "Not judged"),
    },
}
"""For each scale its codes, with their place on it and in words. What is no grade has no place."""


class AcrossScales(TypeError):
    """Grades of different scales cannot be compared, nor any of them reckoned with: Ofsted says so."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Grade:
    """A grade on its scale. A better grade is greater, within one scale; there is no arithmetic of grades."""

    scale: Scale
    code: str

    def __post_init__(self) -> None:
        """Raises ValueError for a code that the scale does not have."""
        if self.code not in GRADES[self.scale]:
            raise ValueError(f"{self.code!r} is no grade of {self.scale}")

    @property
    def ordinal(self) -> int | None:
        """Its number on the scale as published; None where no judgement was made."""
        return GRADES[self.scale][self.code][0]

    @property
    def words(self) -> str:
        """The grade as Ofsted says it."""
        return GRADES[self.scale][self.code][1]

    def __lt__(self, other: "Grade") -> bool:
        """Whether this is worse; raises AcrossScales for grades of two scales, ValueError where there is no grade."""
        if self.scale is not other.scale:
            raise AcrossScales(f"A grade of {self.scale} is not to be compared with one of {other.scale}.")
        if self.ordinal is None or other.ordinal is None:
            raise ValueError("No judgement was made, so there is nothing to compare.")
        return self.ordinal > other.ordinal if self.scale is Scale.OLD4 else self.ordinal < other.ordinal


GOOD = Grade(Scale.OLD4, "2")


INADEQUATE = Grade(Scale.OLD4, "4")


EXPECTED = Grade(Scale.NEW5, "expected_standard")
