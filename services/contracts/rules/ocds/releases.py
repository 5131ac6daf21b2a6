"""One immutable release for each event that the public is told of, each only what is new (STANDARDS.md 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.contracts.rules.ocds import parts
from services.contracts.rules.ocds.merging import compiled, difference, merged
from services.contracts.rules.ocds.parties import Publisher
from services.contracts.rules.ocds.state import state

Json = dict[str, Any]

ENDED = ["contractTermination"]
TAGS: dict[str, list[str]] = {
    "contract.offered": ["planning", "tender", "award"],
    "contract.withdrawn": ["tenderUpdate", "awardUpdate"],
    "contract.cancelled": ["tenderCancellation", "awardCancellation"],
    "contract.agreed": ["tenderUpdate", "awardUpdate", "contract"],
    "contract.active": ["contractUpdate"],
    "contract.suspended": ["contractUpdate"],
    "contract.resumed": ["contractUpdate"],
    "contract.suspension_resolved": ["contractUpdate"],
    "contract.corrected": ["contractUpdate"],
    "contract.varied": ["contractAmendment"],
    "school.identified": ["contractUpdate"],
    "notice.published": ["contractUpdate"],
    "milestone.decided": ["implementation"],
    "milestone.reverted": ["implementationUpdate"],
    "payment.paid": ["implementation"],
    "payment.repaid": ["implementation"],
    "kpi.assessed": ["implementation"],
    "poor_performance.found": ["implementation"],
    "contract.completed": ENDED,
    "contract.expired": ENDED,
    "contract.terminated": ENDED,
    "contract.transferred": ENDED,
}
"""By event, the tags of its release; what is not here is not published."""
EXTENSIONS = [
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_metrics_extension/1.1/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_contract_completion_extension/master/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_transactions_relatedMilestone_extension/master/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_performance_failures_extension/master/extension.json",
    "https://standard.open-contracting.org/profiles/eu/latest/en/extension.json",
    "https://raw.githubusercontent.com/cabinetoffice/ocds_uk_extension/main/extension.json",
]


@dataclass(frozen=True, slots=True)
class Told:
    """A contract right after an event, as the public may see it.

    `contract` is its view and `extras` its payments, claims, invoices, assessments, findings, notices and variations,
    as JSON carries them; `at` is the instant of the event and `published_at` that of publication, both ISO 8601 in UTC.
    """

    type: str
    version: int
    at: str
    published_at: str
    contract: Mapping[str, Any]
    extras: Mapping[str, Any]


def ocid_of(publisher: Publisher, contract_id: str) -> str:
    """The identifier of the contracting process."""
    return f"{publisher.prefix}-{contract_id}"


def tags_of(event: str, published: Sequence[Json]) -> list[str]:
    """The tags of a release: what was said before is updated."""
    tags, said = TAGS[event], {tag for release in published for tag in release["tag"]}
    update = {"planning": "planningUpdate", "tender": "tenderUpdate", "award": "awardUpdate"}
    update |= {"implementation": "implementationUpdate"}
    return [update[tag] if tag in said and tag in update else tag for tag in tags]


def release(told: Told, published: Sequence[Json], publisher: Publisher) -> Json | None:
    """The next release after those published; None when the event tells the public nothing new."""
    begun = bool(published) or told.type == "contract.offered"
    if told.type not in TAGS or not begun:
        return None
    before = compiled(published) if published else {}
    ocid = ocid_of(publisher, told.contract["id"])
    identity = f"{ocid}-{told.version:04d}"
    after = state(told.contract, told.extras, told.at, before, publisher)
    if told.type == "contract.varied":
        after = merged(after, amended(told, after, published, identity))
    said = difference(before, after)
    if said is None:
        return None
    said.setdefault("tender", {"id": told.contract["reference"]})
    said["tender"].setdefault("id", told.contract["reference"])
    head = {"ocid": ocid, "id": identity, "date": told.published_at, "tag": tags_of(told.type, published)}
    return {**head, "language": "en", "initiationType": "tender", **said}


def amended(told: Told, after: Json, published: Sequence[Json], identity: str) -> Json:
    """The amendment that a variation is: what it was for, and between which releases it stands."""
    newest = max(
        (each for each in told.extras["variations"] if each["status"] == "in_force"), key=lambda v: v["number"]
    )
    amendment = {
        "id": f"variation-{newest['number']}",
        "date": parts.instant(newest["effective_on"]),
        "rationale": newest["rationale"],
        "description": f"Changed: {', '.join(sorted(newest['changes']))}.",
        "amendsReleaseID": published[-1]["id"],
        "releaseID": identity,
    }
    contract = after["contracts"][0]
    return {"contracts": [{**contract, "amendments": [*contract.get("amendments", []), amendment]}]}


def release_package(releases: Sequence[Mapping[str, Any]], uri: str, at: str, publisher: Publisher) -> Json:
    """A release package."""
    return {**package(uri, at, publisher), "releases": list(releases)}


def record_package(releases: Sequence[Mapping[str, Any]], uri: str, at: str, publisher: Publisher) -> Json:
    """A record package of one process: its releases, and what they add up to."""
    record = {"ocid": releases[0]["ocid"], "releases": list(releases), "compiledRelease": compiled(releases)}
    return {**package(uri, at, publisher), "records": [record]}


def package(uri: str, at: str, publisher: Publisher) -> Json:
    """What every package says of itself."""
    return {
        "uri": uri,
        "version": "1.1",
        "publishedDate": at,
        "publisher": {"name": publisher.name, "uri": publisher.uri},
        "license": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
        "extensions": EXTENSIONS,
    }
