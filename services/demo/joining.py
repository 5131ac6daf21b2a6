"""The chapter in which the school joins the trust: proposed, decided on, worked through, carried out, handed over."""

from typing import Any

from services.demo import cast
from services.demo.play import Play
from services.demo.stage import wait


def transfer(play: Play) -> None:
    """The gateway opens the transfer by itself; people consent; the school becomes a full member"""
    prepare(play)
    join(play)
    hand_over(play)


def prepare(play: Play) -> None:
    """What people do before the day: they decide, set it, and work through the list."""
    found = wait("a transfer", lambda: play["rsc"].get("/v1/transfers")["data"])[0]
    play.transfer = f"/v1/transfers/{found['id']}"
    met = len(found["evidence"]["conditions"])
    play.say("the gateway", f"All {met} conditions are met: it opens {found['reference']} by itself, as a proposal")
    known = [each for each in found["steps"] if each["status"] == "not_applicable"]
    play.say(
        "the gateway",
        f"{found['route']}: {len(found['steps'])} steps; {len(known)} do not apply, such as "
        f"{known[0]['title'].lower()} ({known[0]['known']['source']}: {known[0]['reason']})",
    )
    for name, body, decision in cast.DECISIONS:
        play[name].change(play.transfer, "consents", {"by": body, "decided_on": "2025-03-21", **decision}, expect=201)
        play.say(name, f"Decides for the {body.replace('_', ' ')}: {decision['decision'].replace('_', ' ')}")
    for confirmed in (False, True):
        reason = "The legal work is done" if confirmed else "As the legal work goes"
        day = {"effective_on": cast.EFFECTIVE_ON, "confirmed": confirmed, "reason": reason}
        dated = play["rsc"].change(play.transfer, "effective-date", day)
    play.say("rsc", f"Sets {cast.EFFECTIVE_ON}, provisional first, then confirmed; the transfer is {dated['status']}")
    finish_steps(play, dated["steps"])


def join(play: Play) -> None:
    """The day comes, and the system carries it out."""
    play.stage.at(cast.EFFECTIVE_ON)
    done = wait("the day", lambda: completed(play))
    joined = done["result"]
    play.say("the worker", f"{cast.EFFECTIVE_ON}: ring-fence closed and membership opened in one transaction")
    last = wait("the contract", lambda: frozen(play))
    play.say("the worker", f"Contract {last['reference']} is {last['status']}")
    school = play["rsc"].get(f"/v1/schools/{cast.SCHOOL}")
    play.say("rsc", f"{school['name']} is a member of {school['trust']['name']}")
    play.say(
        "rsc",
        f"Its results count for the trust from {joined['first_platform_year']}, and as DfE counts them from "
        f"{joined['first_dfe_year']}; {cast.YEAR} stays apart for ever",
    )


def finish_steps(play: Play, steps: list[dict[str, Any]]) -> None:
    """Each owner finishes the mandatory steps that are theirs; the gate waits for the condition of the RSC."""
    actors = {"commissioner": "rsc", "supplier": "mat", "responsible_body": "body"}
    own = [step for step in steps if step["owner"] in actors and step["section"] != "after" and not step["optional"]]
    gate = next(step for step in own if step["gate"])
    for step in (step for step in own if step is not gate and step["status"] in {"open", "locked"}):
        play[actors[step["owner"]]].change(play.transfer, f"steps/{step['key']}/completion", {})
    shown = [step for step in own if step["section"] == "legal"]
    play.say("all parties", f"Finish {len(own) - 1} steps, among them {', '.join(s['title'].lower() for s in shown)}")
    path = f"{play.transfer}/steps/{gate['key']}/completion"
    problem = play["rsc"].ask("POST", path, expect=409, json={}, headers={"If-Match": "*"})
    play.say("rsc", f"{gate['title']}: 409 {problem['code']}. {problem['detail']}")
    met = {"fulfilled_on": "2025-03-21", "note": "Seen"}
    play["rsc"].change(play.transfer, "consents/rsc/conditions/1/fulfilment", met)
    play["rsc"].change(play.transfer, f"steps/{gate['key']}/completion", {})
    play.say("rsc", f"The condition is met; {gate['title'].lower()}: done")


def hand_over(play: Play) -> None:
    """DfE fetches the package, and says that it has it."""
    path = f"{play.transfer}/hand-over"
    package = wait("the package", lambda: handed_over(play))
    told = {"remote_id": "CMP-0001", "sha256": package["sha256"]}
    done = play["dfe"].ask("POST", f"{path}/acknowledgement", json=told)
    play.say("dfe", f"Has the hand-over package and keeps it as {done['remote_id']}: only now it counts as delivered")
    after = [each for each in play["rsc"].get(play.transfer)["steps"] if each["section"] == "after"]
    left = ", ".join(each["title"].lower() for each in after if each["status"] in {"open", "locked"})
    play.say("rsc", f"Still to do after the day: {left}")


def handed_over(play: Play) -> dict[str, Any] | None:
    """The package, once it is made."""
    answer = play["dfe"].http.get(f"{play.transfer}/hand-over")
    return dict(answer.json()) if answer.status_code == 200 else None


def completed(play: Play) -> dict[str, Any] | None:
    """The transfer, once it is completed."""
    found: dict[str, Any] = play["rsc"].get(play.transfer)
    return found if found["status"] == "completed" else None


def frozen(play: Play) -> dict[str, Any] | None:
    """The contract, once it is transferred."""
    found: dict[str, Any] = play["rsc"].get(play.contract)
    return found if found["status"] == "transferred" else None
