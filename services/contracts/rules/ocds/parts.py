"""The parts of a contract in the words of OCDS: money, periods, milestones, metrics, notices."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

Json = dict[str, Any]
Contract = Mapping[str, Any]

MILESTONE_TYPE = {
    "mobilisation": "delivery",
    "delivery": "delivery",
    "review": "reporting",
    "outcome": "assessment",
    "finance": "financing",
    "transition": "assessment",
}
MILESTONE_STATUS = {
    "scheduled": "scheduled",
    "met": "met",
    "partially_met": "partiallyMet",
    "not_met": "notMet",
}
NOTICE_TYPE = {
    "UK7": "contractNotice",
    "UK7_copy": "contractSigned",
    "UK8": "implementationNotice",
    "UK9": "implementationNotice",
    "UK10": "contractNotice",
    "UK11": "contractTerminationNotice",
}
IN_CONTRACT = frozenset({"UK7", "UK7_copy", "UK10"})
"""Notices about the contract itself; the others are about its implementation."""


def instant(day: str) -> str:
    """A London day as OCDS wants it: its beginning, without pretending to know the hour."""
    return f"{day}T00:00:00Z"


def end_of(day: str) -> str:
    """The end of a day that belongs to a period."""
    return f"{day}T23:59:59Z"


def value(pence: int) -> Json:
    """Money in pounds, with two places."""
    return {"amount": round(pence / 100, 2), "currency": "GBP"}


def period(contract: Contract) -> Json:
    """The term, and how far it could be extended."""
    term = contract["term"]
    first, last = date.fromisoformat(term["starts_on"]), date.fromisoformat(term["ends_on"])
    return {
        "startDate": instant(term["starts_on"]),
        "endDate": end_of(term["ends_on"]),
        "maxExtentDate": end_of(term.get("latest_ends_on") or term["ends_on"]),
        "durationInDays": (last - first).days + 1,
    }


def milestones(contract: Contract, modified: str, known: Sequence[Json]) -> list[Json]:
    """What was promised, and how it stands; what a variation took out stays, as not met, with the reason.

    `known` are the milestones as they were published before: `dateModified` moves only with what changed.
    """
    before = {each["id"]: each for each in known}
    found = [dated(milestone(each), before.get(each["code"]), modified) for each in contract["milestones"]]
    now = {each["id"] for each in found}
    for code, old in before.items():
        if code not in now and code != DECISION:
            gone = {**old, "status": "notMet", "description": "Taken out of the contract by a variation."}
            found.append(dated({name: gone[name] for name in gone if name != "dateModified"}, old, modified))
    if contract["status"] == "transferred":
        found.append(dated(decision(contract), before.get(DECISION), modified))
    return found


DECISION = "transfer-decision"


def milestone(promised: Mapping[str, Any]) -> Json:
    """One milestone."""
    found = {
        "id": promised["code"],
        "title": promised["title"],
        "type": MILESTONE_TYPE[promised["kind"]],
        "code": promised["kind"],
        "dueDate": instant(promised["due_on"]),
        "status": MILESTONE_STATUS[promised["status"]],
    }
    met = promised["status"] == "met"
    return {**found, "dateMet": instant(promised["decided_on"])} if met else found


def decision(contract: Contract) -> Json:
    """The decision that the school becomes a full member: no procurement, so a milestone and nothing more."""
    ended = contract["term"].get("ended_on") or contract["term"]["ends_on"]
    return {
        "id": DECISION,
        "title": "The school becomes a full member of the trust",
        "type": "assessment",
        "code": DECISION,
        "status": "met",
        "dateMet": instant(ended),
    }


def dated(now: Json, before: Mapping[str, Any] | None, modified: str) -> Json:
    """A milestone with the day on which it last changed; one that is met no more takes its date back."""
    if before is not None and {name: before[name] for name in before if name != "dateModified"} == now:
        return {**now, "dateModified": before["dateModified"]}
    not_met = {"dateMet": None} if before is not None and "dateMet" in before and "dateMet" not in now else {}
    return {**now, **not_met, "dateModified": modified}


def transactions(
    contract: Contract, claims: Sequence[Mapping[str, Any]], invoices: Sequence[Mapping[str, Any]]
) -> list[Json]:
    """What was paid, line by line of each claim, and with a minus what came back; without VAT."""
    titles = {each["code"]: each["title"] for each in contract["milestones"]}
    found = []
    for claim in sorted(claims, key=lambda each: int(each["number"])):
        for line in claim["lines"]:
            if not line.get("paid_pence"):
                continue
            name = f"{claim['reference']}-{line['kind']}-{line['code']}"
            paid = {"id": name, "date": instant(claim["paid_on"]), "value": value(line["paid_pence"])}
            if line["kind"] == "milestone":
                about = {"id": line["code"], "title": titles.get(line["code"], line["code"])}
                paid["relatedImplementationMilestone"] = about
            found.append(paid)
    back = [each for each in invoices if each["series"] == "CRN" and each.get("repaid_on")]
    for note in sorted(back, key=lambda each: int(each["serial"])):
        amount = {"amount": -value(note["net_pence"])["amount"], "currency": "GBP"}
        found.append({"id": note["number"], "date": instant(note["repaid_on"]), "value": amount})
    return found


def targets(contract: Contract) -> list[Json]:
    """The agreed outcomes as metrics: baseline and target."""
    return [
        {
            "id": each["code"],
            "title": each["measure"],
            "description": f"Weight {each['weight']:g} of the outcomes agreed; target put as {each['target']['mode']}.",
            "observations": observations(each),
        }
        for each in contract["outcomes"]
    ]


def observations(outcome: Mapping[str, Any]) -> list[Json]:
    """Where the school stood and what is to be reached, in the measure's unit; nothing that tells of single pupils."""
    target = {"id": f"{outcome['code']}-target", "measure": outcome["target"]["value"], "notes": "Target"}
    baseline = outcome["baseline"]
    if baseline["value"] is None or baseline.get("disclosive"):
        return [target]
    years = ", ".join(baseline["years"])
    known = {"id": f"{outcome['code']}-baseline", "measure": round(baseline["value"], 3)}
    return [{**known, "notes": f"Baseline: {years}, {baseline['n']} pupils"}, target]


RATINGS = {
    "good": "Good",
    "approaching_target": "Approaching target",
    "requires_improvement": "Requires improvement",
    "inadequate": "Inadequate",
    "other": "Other",
}


def metrics(assessments: Sequence[Mapping[str, Any]]) -> list[Json]:
    """How the supplier was rated, assessment by assessment (Procurement Regulations 2024, regulation 39)."""
    if not assessments:
        return []
    return [
        {
            "id": "KPI",
            "title": "Rating against the key performance indicators",
            "observations": [
                {
                    "id": f"KPI-{each['number']}",
                    "period": {
                        "startDate": instant(each["period_starts_on"]),
                        "endDate": end_of(each["period_ends_on"]),
                    },
                    "measure": RATINGS[each["rating"]],
                    "notes": each.get("explanation") or f"Assessed on {each['assessed_on']} ({each['basis']})",
                }
                for each in assessments
            ],
        }
    ]


def failures(findings: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Findings of poor performance, after the opportunity to improve that each names."""
    return [
        {
            "id": f"finding-{each['number']}",
            "category": "Poor performance",
            "description": each["details"],
            "decisionDate": instant(each["opened_on"]),
            "events": 1,
        }
        for each in findings
        if each["kind"] == "poor_performance"
    ]


def documents(notices: Sequence[Mapping[str, Any]], *, about_contract: bool) -> list[Json]:
    """Notices that were published elsewhere."""
    found = []
    for each in notices:
        if (each["kind"] in IN_CONTRACT) is about_contract:
            document = {
                "id": f"notice-{each['number']}",
                "documentType": NOTICE_TYPE[each["kind"]],
                "noticeType": each["kind"].partition("_")[0],
                "title": f"Notice {each['kind'].partition('_')[0]}",
                "datePublished": instant(each["published_on"]),
            }
            found.append({**document, "url": each["url"]} if each.get("url") else document)
    return found
