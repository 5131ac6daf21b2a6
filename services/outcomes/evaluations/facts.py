"""What a contract is drafted and signed from: parties, baselines, and whom a school would be compared with."""

from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.types import plain
from services.outcomes import queries as register
from services.outcomes.evaluations import queries
from services.outcomes.evaluations.schemas import Baseline, FactsIn, MeasureFacts, SchoolFacts, TrustFacts
from services.outcomes.evaluations.verdicts import SourceRelease
from services.outcomes.identifiers import identifiers
from services.outcomes.panels import Panel, panel
from services.outcomes.registers import phases
from services.outcomes.rules.agreement import Missing
from services.outcomes.rules.matching import match
from services.outcomes.rules.measures import MEASURES, Kind, Measure
from services.outcomes.rules.ringfence import assessed_on, census_on
from services.outcomes.rules.series import BASELINE_YEARS, NOT_USABLE, Pooled, Reading, baseline
from services.outcomes.rules.suppression import Count, total_tells
from services.outcomes.rules.years import academic_year_text


async def school_facts(session: AsyncSession, urn: int) -> SchoolFacts | None:
    """The school as the register shows it now; None when it does not."""
    row = await register.establishment(session, urn)
    if row is None:
        return None
    present = await queries.membership(session, urn)
    trust = await register.trust(session, present.trust_uid) if present else None
    alike = {name: getattr(row, name) for name in SchoolFacts.model_fields if hasattr(row, name)}
    uid = present.trust_uid if present else None
    dated = ("scheme", "value", "valid_from", "valid_to")
    known = [plain({name: getattr(each, name) for name in dated}) for each in await identifiers(session, row.school_id)]
    more = {
        "trust_uid": uid,
        "trust_name": trust.name if trust else None,
        "school_id": str(row.school_id),
        "present_urn": await queries.present_urn(session, row),
        "identifiers": known,
    }
    return SchoolFacts(**alike | more)


async def trust_facts(session: AsyncSession, uid: str) -> TrustFacts | None:
    """The trust as the register shows it now; None when it does not."""
    row = await register.trust(session, uid)
    return TrustFacts.model_validate(row) if row else None


async def measure_facts(session: AsyncSession, urn: int, body: FactsIn) -> dict[str, MeasureFacts]:
    """For each measure that a contract can agree: what it is, the baseline before the term, and the comparators."""
    phase = (await phases(session, [urn])).get(urn)
    measures = [MEASURES[code] for code in body.measures if code in MEASURES]
    agreeable = [measure for measure in measures if measure.kind is not Kind.CONTEXT]
    codes = [code for each in agreeable for code in (each.code, each.part_of) if code is not None]
    schools = await panel(session, phase, codes) if phase and agreeable else None
    found: dict[str, MeasureFacts] = {}
    for measure in agreeable:
        pooled = before_the_term(schools, urn, measure, body) if schools else None
        found[measure.code] = MeasureFacts(
            domain=measure.domain,
            title=measure.title,
            unit=measure.unit,
            direction=measure.direction,
            baseline=await named(session, pooled, disclosive=tells(schools, urn, measure, pooled)),
            comparators=fixed(schools, urn, measure, body, pooled) if schools and pooled else None,
        )
    return found


def before_the_term(schools: Panel, urn: int, measure: Measure, body: FactsIn) -> Pooled | None:
    """What the school achieved before the term, over the years that a baseline takes."""
    years = range(body.starts_on.year - BASELINE_YEARS - len(NOT_USABLE) - 1, body.starts_on.year)
    readings = schools.observed[measure.code].readings(schools.register.place_of[urn], years)
    return baseline(readings, measure, body.starts_on)


def fixed(schools: Panel, urn: int, measure: Measure, body: FactsIn, first: Pooled) -> list[int]:
    """The comparators of an outcome as they are fixed when it is agreed: by what is known before the term only."""
    place, (population, _censuses) = schools.register.place_of[urn], schools.population(body.starts_on)
    window = (census_on(min(first.years)), assessed_on(measure.key_stage, max(first.years)))
    alike = population.comparable(place, body.trust_uid, window)
    results = schools.results[measure.code]
    found = match(population, place, results, alike, first.value, first.years, first.years)
    return [each.urn for each in found.comparators]


def tells(schools: Panel | None, urn: int, measure: Measure, pooled: Pooled | None) -> bool:
    """Whether a baseline would tell of single pupils to whoever knows what is published of its years."""
    if schools is None or pooled is None:
        return False
    place = schools.register.place_of[urn]
    own = schools.observed[measure.code].readings(place, pooled.years)
    wholes = schools.observed[measure.part_of].readings(place, pooled.years) if measure.part_of else {}
    return total_tells(measure, [count_of(own[year], wholes.get(year)) for year in pooled.years])


def count_of(reading: Reading, whole: Reading | None) -> Count:
    """A usable result beside that of all pupils, where that is known."""
    value, n = reading.value or 0.0, reading.n or 0
    if whole is None or whole.n_is_proxy or reading.n_is_proxy:
        return Count(value, n)
    return Count(value, n, whole.value, whole.n)


async def named(session: AsyncSession, pooled: Pooled | None, *, disclosive: bool) -> Baseline:
    """A baseline with the releases that it comes from, or with the reason why there is none."""
    if pooled is None:
        return Baseline(value=None, n=None, years=[], releases=[], reason=Missing.NO_BASELINE)
    years = [academic_year_text(year) for year in pooled.years]
    rows = await register.releases(session, pooled.releases)
    used = [SourceRelease.model_validate(row).shown() for row in rows]
    facts = {"years": years, "releases": used, "reason": None, "disclosive": disclosive}
    return Baseline(value=pooled.value, n=pooled.n, **facts)
