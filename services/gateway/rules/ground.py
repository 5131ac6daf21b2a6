"""The ground on which a school may join a trust: every condition of the join gate, explained (METHOD.md 3.11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

AT_LEAST_PARTLY = frozenset({"met", "partly_met"})
ON_THE_VERDICT = ("outcomes_met", "final_data", "no_veto", "critical_measures_partly_met")
"""Conditions that follow from the verdict: what a revision of the data can take away, also after the day."""
HOLDING = "no_dispute"
"""What is settled between the parties in time: it keeps the gate shut and the day waiting, and withdraws nothing."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the join gate: `state` is met, not_met or unknown; `detail` gives the figure."""

    code: str
    state: str
    detail: str


def condition(code: str, held: bool | None, detail: str) -> Condition:
    """A condition from a truth that may not be known yet (None)."""
    return Condition(code, "unknown" if held is None else "met" if held else "not_met", detail)


def conditions(
    contract: Mapping[str, Any], concerns: Sequence[Mapping[str, Any]], inspections: Mapping[str, Any] | None
) -> list[Condition]:
    """Every condition for a transfer, explained.

    `contract` is as its service shows it, `concerns` what is open about it, its payments and its supplier,
    `inspections` where they leave the school (None where the register does not know it).
    """
    disputes = [each for each in concerns if each["kind"] == "dispute"]
    others = [each for each in concerns if each["kind"] != "dispute"]
    return [
        *on_the_contract(contract),
        *on_the_verdict(contract["evaluation"]),
        condition("nothing_open", not others, f"Open: {listed(others)}."),
        condition(HOLDING, not disputes, f"Payments in dispute: {listed(disputes)}."),
        on_inspections(inspections),
    ]


def listed(concerns: Sequence[Mapping[str, Any]]) -> str:
    """What is open, in words."""
    return "; ".join(each["detail"] for each in concerns) or "nothing"


def on_the_contract(contract: Mapping[str, Any]) -> list[Condition]:
    """What the contract itself says: intended, completed, its required milestones met."""
    required = [each for each in contract["milestones"] if each["required"]]
    unmet = [each["code"] for each in required if each["status"] != "met"]
    ended, intended = contract["status"] in {"completed", "transferred"}, contract["transfer_intended"]
    words = "The parties agreed that a transfer may follow." if intended else "The parties did not agree on a transfer."
    return [
        condition("transfer_intended", intended, words),
        condition("contract_completed", ended, f"The contract is {contract['status']}."),
        condition(
            "required_milestones_met",
            not unmet,
            f"{len(required) - len(unmet)} of {len(required)} required milestones met"
            + (f"; not met: {', '.join(unmet)}." if unmet else "."),
        ),
    ]


def on_the_verdict(verdict: Mapping[str, Any] | None) -> list[Condition]:
    """What the latest verdict says; without one nothing is known."""
    if verdict is None:
        return [Condition(name, "unknown", "No evaluation has been made.") for name in ON_THE_VERDICT]
    settled = verdict["run"] == "final" and verdict["release_status"] in {"revised", "final"}
    vetoes = verdict["vetoes"]
    score = "none" if verdict["score"] is None else f"{verdict['score']:.3f}"
    return [
        condition("outcomes_met", verdict["overall"] == "met", f"Overall {verdict['overall']}, score {score}."),
        condition("final_data", settled, f"A {verdict['run']} run on {verdict['release_status']} data."),
        condition("no_veto", not vetoes, f"Vetoes: {', '.join(vetoes) or 'none'}."),
        on_critical_measures(verdict),
    ]


def on_critical_measures(verdict: Mapping[str, Any]) -> Condition:
    """Whether every critical measure is at least partly met; one that could not be measured leaves it open."""
    critical = verdict.get("critical") or dict.fromkeys(verdict["critical_not_met"], "not_met")
    below = {code: status for code, status in critical.items() if status not in AT_LEAST_PARTLY}
    held = True if not below else False if "not_met" in below.values() else None
    named = ", ".join(f"{code} {status}" for code, status in below.items()) or "none"
    return condition("critical_measures_partly_met", held, f"Critical, below partly met: {named}.")


def on_inspections(inspections: Mapping[str, Any] | None) -> Condition:
    """Whether the school is of no concern and led to the expected standard (old scale: Good)."""
    if not inspections or not inspections["latest_on"]:
        return condition("inspections_strong", None, "No inspection of the school is known.")
    latest = inspections["latest_on"]
    led = {True: "led to the expected standard", False: "not strong enough", None: "leadership not graded"}
    words = f"Latest inspection {latest}: category of concern {inspections['concern'] or 'not told'}; "
    return condition("inspections_strong", inspections["strong"], words + led[inspections["strong"]] + ".")


def gate_open(found: Sequence[Condition]) -> bool:
    """Whether every condition is met; one that is not known keeps the gate shut."""
    return all(each.state == "met" for each in found)


def gone(found: Sequence[Condition], *, joined: bool) -> list[str]:
    """Which conditions took the ground away; once the school has joined only those of the verdict are looked at."""
    unmet = [each.code for each in found if each.state == "not_met" and each.code != HOLDING]
    return [code for code in unmet if not joined or code in ON_THE_VERDICT]


def shown(found: Sequence[Condition]) -> list[dict[str, str]]:
    """Conditions as they are kept and shown."""
    return [{"code": each.code, "state": each.state, "detail": each.detail} for each in found]
