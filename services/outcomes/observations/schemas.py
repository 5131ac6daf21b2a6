"""What callers see of observations."""

from typing import Self

from pydantic import BaseModel

from services.kernel.bodies import Paging
from services.outcomes.models import Observation, Release
from services.outcomes.rules.values import ValueState
from services.outcomes.rules.years import academic_year_text
from services.outcomes.schemas import ReleaseName


class ObservationOut(BaseModel):
    """One measure of one school in one year: a `value`, or in `state` why there is none; `raw` as published.

    What would tell of single pupils is suppressed, but for those who answer for the school: for them it is marked as
    `disclosive` and not to be passed on.
    """

    measure: str
    measure_version: str
    academic_year: str
    state: ValueState
    value: float | None
    raw: str
    denominator: int | None
    disclosive: bool
    release: ReleaseName

    @classmethod
    def of(cls, row: Observation, release: Release, *, disclosive: bool, entitled: bool) -> Self:
        """The observation of this row; `disclosive` ones whole for who is `entitled` to them only."""
        if disclosive and not entitled:
            return cls(
                measure=row.measure,
                measure_version=row.measure_version,
                state=ValueState.SUPPRESSED,
                value=None,
                raw="",
                denominator=None,
                disclosive=False,
                academic_year=academic_year_text(row.academic_year),
                release=ReleaseName.of(release),
            )
        facts = {name: getattr(row, name) for name in ("measure", "measure_version", "state", "raw", "denominator")}
        value = None if row.value is None else float(row.value)
        return cls(
            **facts,
            value=value,
            disclosive=disclosive,
            academic_year=academic_year_text(row.academic_year),
            release=ReleaseName.of(release),
        )


class ObservationPage(BaseModel):
    """One page of observations."""

    data: list[ObservationOut]
    paging: Paging
