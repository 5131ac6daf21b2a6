"""Which schools need help most: tiers by rule first, then need with its uncertainty within the tier (METHOD.md 6)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import scipy

from services.outcomes.rules.comparators import Floats
from services.outcomes.rules.inspection import Concern
from services.outcomes.rules.intervals import overdispersion
from services.outcomes.rules.population import Bools
from services.outcomes.rules.shrinkage import DRAWS, Ranks, paule_mandel, posterior, ranks


class Tier(IntEnum):
    """How urgent help is, by rule."""

    STATUTORY = 0
    SIGNIFICANT = 1
    STUCK = 2
    LOW_ATTAINMENT = 3
    EMERGING = 4
    UNIVERSAL = 5


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the rules and the need are reckoned with; a change is a new version."""

    version: str = "needs/1"
    low_quantile: float = 0.25
    low_progress: float = -0.5
    low_progress_years: int = 3
    limit_z: float = 1.959964
    years_below: int = 2
    falling_quantile: float = 0.10
    weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "attainment": 0.35,
            "progress": 0.25,
            "absence": 0.20,
            "disadvantage_gap": 0.10,
            "inspection_age": 0.10,
        }
    )


THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tiers are decided by; None where it is not known."""

    concern: Concern | None = None
    stuck: bool | None = None
    low_attainment: bool | None = None
    low_progress: bool | None = None
    below_limits: bool | None = None
    falling: bool | None = None


REASONS: dict[str, str] = {
    "special_measures": "The latest inspection put the school in special measures.",
    "significant_improvement": "The latest inspection found that the school requires significant improvement.",
    "stuck": "Requires improvement, or the equivalent, after an inspection below Good.",
    "low_attainment": "Over three years below a quarter of schools, for all and for disadvantaged pupils.",
    "low_progress": "Progress 8 below -0.5 in three consecutive years.",
    "below_limits": "Below the lower limit of the funnel (97.5%) in two of the last three years.",
    "falling": "Its change over three years is among the lowest tenth.",
    "universal": "No rule puts it in another tier.",
}
"""The rules in words, in the order in which they are asked."""


def tier(facts: Facts) -> tuple[Tier, str]:
    """The tier and the key of the rule that put the school there; the first rule that holds decides."""
    rules = (
        (facts.concern is Concern.SPECIAL_MEASURES, Tier.STATUTORY, "special_measures"),
        (
            facts.concern in (Concern.SERIOUS_WEAKNESS, Concern.REQ_SIGNIFICANT_IMPROVEMENT),
            Tier.SIGNIFICANT,
            "significant_improvement",
        ),
        (facts.stuck, Tier.STUCK, "stuck"),
        (facts.low_attainment, Tier.LOW_ATTAINMENT, "low_attainment"),
        (facts.low_progress, Tier.LOW_ATTAINMENT, "low_progress"),
        (facts.below_limits, Tier.EMERGING, "below_limits"),
        (facts.falling, Tier.EMERGING, "falling"),
    )
    return next(((found, reason) for holds, found, reason in rules if holds), (Tier.UNIVERSAL, "universal"))


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """One part of need for every school: what it is believed to be, and how uncertain that is.

    `direction` is +1 where more is better. `values` are as published and pooled, NaN where nothing is known: there
    `means` and `variances` are those of any school, or of what a model says, and `imputed` is set. `centre` and
    `spread` are those between schools, in the same unit.
    """

    name: str
    direction: int
    values: Floats
    pupils: Floats
    means: Floats
    variances: Floats
    centre: float
    spread: float
    imputed: Bools

    def share(self, weight: float) -> Floats:
        """What the component adds to need: its weight, times the share of schools that are believed to do better."""
        shares: Floats = weight * scipy.special.ndtr(-self.direction * (self.means - self.centre) / self.spread)
        return shares


def component(
    name: str,
    direction: int,
    values: Floats,
    errors: Floats,
    pupils: Floats,
    model: Callable[[Floats], tuple[Floats, float]] | None = None,
) -> Component | None:
    """Values shrunk towards what schools have in common; None where fewer than two are known or none differs.

    `errors` are standard errors; a value without an error counts as it is. What is not known is taken from `model`,
    given the shrunk means (NaN where unknown): its predictions for all, and their variance; else any school's.
    """
    known = ~np.isnan(values)
    if int(known.sum()) < 2:
        return None
    means, variances = values.copy(), np.zeros(len(values))
    if bool((errors[known] > 0).all()):
        common = paule_mandel(values[known], errors[known])
        centre, spread = common.mean, float(np.sqrt(common.tau2))
        means[known], variances[known] = posterior(values[known], errors[known] ** 2, common)
    else:
        centre, spread = float(values[known].mean()), float(values[known].std(ddof=1))
    if spread == 0:
        return None
    predicted, unsure = model(means) if model else (np.full(len(values), centre), spread**2)
    means[~known], variances[~known] = predicted[~known], unsure
    return Component(name, direction, values, pupils, means, variances, centre, spread, ~known)


def predicted_by(other: Component) -> Callable[[Floats], tuple[Floats, float]]:
    """A straight line through another component: what a school with these pupils would be expected to have."""

    def model(means: Floats) -> tuple[Floats, float]:
        known = ~np.isnan(means) & ~other.imputed
        if int(known.sum()) < 3:
            return np.full(len(means), float(np.nanmean(means))), float(np.nanvar(means))
        slope, start = np.polyfit(other.means[known], means[known], 1)
        line: Floats = start + slope * other.means
        return line, float((means[known] - line[known]).var(ddof=2))

    return model


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """Need between 0 and 1, the greater the more urgent, and the place that it gives among the schools ranked."""

    need: Floats
    ranks: Ranks


def need_rank(
    components: Sequence[Component], thresholds: Thresholds = THRESHOLDS, draws: int = DRAWS, among: Bools | None = None
) -> Needs:
    """Need of every school, and the places over many draws from what is believed of each (METHOD.md 6).

    Weights of components that nobody has are spread over the others. `among` are those that are ranked: all, or the
    schools of a region. Raises ValueError without components.
    """
    if not components:
        raise ValueError("need at least one component")
    chosen = np.ones(len(components[0].means), dtype=np.bool_) if among is None else among
    whole = sum(thresholds.weights[each.name] for each in components)
    weights = [thresholds.weights[each.name] / whole for each in components]
    need = np.sum([each.share(weight) for each, weight in zip(components, weights, strict=True)], axis=0)
    scaled = [
        (
            weight,
            (-each.direction * (each.means[chosen] - each.centre) / each.spread).astype(np.float32),
            (np.sqrt(each.variances[chosen]) / each.spread).astype(np.float32),
        )
        for each, weight in zip(components, weights, strict=True)
    ]
    count = int(chosen.sum())

    def draw(generator: np.random.Generator, rows: int) -> Floats:
        found = np.zeros((rows, count), dtype=np.float32)
        for weight, centres, spreads in scaled:
            noise = generator.standard_normal((rows, count), dtype=np.float32)
            found += np.float32(weight) * scipy.special.ndtr(centres + spreads * noise)
        return found  # type: ignore[return-value]

    return Needs(need[chosen], ranks(draw, count, draws))


def below_quantile(values: Floats, share: float) -> Bools:
    """Whether each value is below this share of those that are known; what is not known is not."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(values), dtype=np.bool_)
    found: Bools = values < np.quantile(known, share)
    return found


def below_limits(scores: Floats, spreads: Floats, thresholds: Thresholds = THRESHOLDS) -> tuple[Bools, Bools]:
    """Whether each school was below the funnel's lower limit in enough of the years, and whether that is known.

    `scores` and `spreads` have a row a year: distance from the year's mean, better ones positive, and the standard
    deviation that chance gives it. Limits are widened where schools vary more than chance (Spiegelhalter 2005).
    """
    z = np.divide(scores, spreads, out=np.full(scores.shape, np.nan), where=spreads > 0)
    widths = []
    for row in z:
        known = row[~np.isnan(row)]
        widths.append(max(1.0, overdispersion(known)) if len(known) else 1.0)
    below = z < -thresholds.limit_z * np.sqrt(np.array(widths))[:, None]
    enough = (~np.isnan(z)).sum(axis=0) >= thresholds.years_below
    return below.sum(axis=0) >= thresholds.years_below, enough
