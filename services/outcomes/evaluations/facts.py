"""What a contract is drafted and signed from: parties, baselines, and whom a school would be compared with."""

import asyncio
from dataclasses import replace
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.types import plain
from services.outcomes import queries as register
from services.outcomes.evaluations import queries
from services.outcomes.evaluations.schemas import Baseline, FactsIn, MeasureFacts, SchoolFacts, TrustFacts
from services.outcomes.models import Release
from services.outcomes.rules.evaluation import Missing
from services.outcomes.rules.matching import Candidate, comparable, match
from services.outcomes.rules.measures import MEASURES, Kind, Measure
from services.outcomes.rules.ringfence import assessed_on, census_on
from services.outcomes.rules.series import BASELINE_YEARS, NOT_USABLE, Pooled, baseline
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
    identifiers = [
        plain({name: getattr(each, name) for name in dated})
        for each in await register.identifiers(session, row.school_id)
    ]
    more = {
        "trust_uid": uid,
        "trust_name": trust.name if trust else None,
        "school_id": str(row.school_id),
        "present_urn": await queries.present_urn(session, row),
        "identifiers": identifiers,
    }
    return SchoolFacts(**alike | more)


async def trust_facts(session: AsyncSession, uid: str) -> TrustFacts | None:
    """The trust as the register shows it now; None when it does not."""
    row = await register.trust(session, uid)
    return TrustFacts.model_validate(row) if row else None


async def measure_facts(session: AsyncSession, urn: int, body: FactsIn) -> dict[str, MeasureFacts]:
    """For each measure that a contract can agree: what it is, the baseline before the term, and the comparators."""
    found: dict[str, MeasureFacts] = {}
    row = await register.establishment(session, urn)
    schools = await queries.candidates(session, row, body.starts_on) if row and body.measures else {}
    for code in body.measures:
        measure = MEASURES.get(code)
        if measure is None or measure.kind is Kind.CONTEXT:
            continue
        years = range(body.starts_on.year - BASELINE_YEARS - len(NOT_USABLE) - 1, body.starts_on.year)
        readings = await queries.readings(session, code, years, list(schools) or [urn])
        pooled = baseline(readings.get(urn, {}), measure.key_stage, body.starts_on)
        rows = {each: replace(one, readings=readings.get(each, {})) for each, one in schools.items()}
        found[code] = MeasureFacts(
            domain=measure.domain,
            title=measure.title,
            unit=measure.unit,
            direction=measure.direction,
            baseline=await named(session, pooled),
            comparators=await asyncio.to_thread(fixed, rows, urn, body.trust_uid, measure, pooled),
        )
    return found


def fixed(
    schools: dict[int, Candidate], urn: int, supplier_uid: str, measure: Measure, first: Pooled | None
) -> list[int] | None:
    """The comparators of an outcome as they are fixed when it is agreed: by what is known before the term only."""
    if first is None or urn not in schools:
        return None
    school, window = schools[urn], (census_on(min(first.years)), assessed_on(measure.key_stage, max(first.years)))
    alike = [schools[each] for each in sorted(schools) if comparable(school, schools[each], supplier_uid, window)]
    return [each.urn for each in match(school, alike, first.value, first.years, first.years).comparators]


async def named(session: AsyncSession, pooled: Pooled | None) -> Baseline:
    """A baseline with the releases that it comes from, or with the reason why there is none."""
    if pooled is None:
        return Baseline(value=None, n=None, years=[], releases=[], reason=Missing.NO_BASELINE)
    years = [academic_year_text(year) for year in pooled.years]
    rows = await queries.releases(session, pooled.releases)
    return Baseline(value=pooled.value, n=pooled.n, years=years, releases=[source(row) for row in rows], reason=None)


def source(row: Release) -> dict[str, Any]:
    """A release, as a figure names where it comes from."""
    facts = {name: getattr(row, name) for name in ("id", "number", "feed", "release_status", "published_on", "sha256")}
    shown: dict[str, Any] = plain(facts)
    return shown
