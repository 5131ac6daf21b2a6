"""The chapters of the main job. Each does one thing through the API and fails when it does not come out as told."""

import re
from typing import Any

import httpx

from services.demo import cast, telling
from services.demo.play import Play
from services.demo.stage import Actor, StoryBroken, wait
from services.system import SAMPLE_PREFIX


def set_the_stage(play: Play) -> None:
    """Clients and keys, from the command line"""
    wanted: dict[str, tuple[str, ...]] = {
        name: ("clients", "create", *options) for name, options in cast.CLIENTS.items()
    }
    wanted |= {name: ("keys", "create", "--trust", trust) for name, trust in cast.KEYS.items()}
    printed = play.stage.commands(wanted)
    for name, text in printed.items():
        if name in cast.KEYS:
            play.actors[name] = Actor(play.stage.base, key=text.split()[0])
        else:
            found = re.findall(r"^client_(?:id|secret)\s+(\S+)$", text, re.MULTILINE)
            play.actors[name] = Actor(play.stage.base, client=(found[0], found[1]))
        play.say(name, f"$ ringfence {telling.command(wanted[name])}")


def ingest(play: Play) -> None:
    """Real feeds come in, and the same file twice changes nothing"""
    shown = []
    for file in cast.FILES:
        row = send(play, file)
        shown.append(row)
        if row["status"] not in {"current", "superseded"}:
            raise StoryBroken(f"{file.name}: {row['detail']}")
    telling.releases(play.console, shown)
    for row in (row for row in shown if row["rows_rejected"]):
        listed = play["dfe"].get(f"/v1/releases/{row['id']}/rejections")["data"]
        play.say("dfe", f"{row['filename']}: {len(listed)} rows rejected; the first: {telling.rejection(listed[0])}")
    again = send(play, cast.FILES[-1])
    if again["reason_code"] != "same_values":
        raise StoryBroken("The same file a second time should have changed nothing.")
    play.say("dfe", f"{again['filename']} once more: {again['status']} ({again['reason_code']}), nothing changed")
    seen = play["rsc"].get(f"/v1/schools/{cast.SCHOOL}/observations", measure="ABS_PA")["data"]
    figures = ", ".join(f"{each['academic_year']} {each['value']:.1f}%" for each in seen)
    play.say("rsc", f"{cast.SCHOOL_NAME}, persistent absence: {figures}")
    withheld = play["rsc"].get(f"/v1/schools/{cast.WITHHELD_SCHOOL}/observations", measure="KS4_A8")["data"]
    for each in withheld:
        play.say(
            "rsc", f"A withheld figure stays a reason: KS4_A8 {each['academic_year']} {each['raw']} ({each['state']})"
        )


def send(play: Play, file: cast.File, content: bytes | None = None) -> dict[str, Any]:
    """Post one file and wait until it was read."""
    form = {"feed": file.feed, "release_status": "final", "published_on": file.published_on}
    if file.academic_year:
        form["academic_year"] = file.academic_year
    content = (play.sample / file.name).read_bytes() if content is None else content
    made = play["dfe"].ask("POST", "/v1/releases", expect=202, data=form, files={"file": (file.name, content)})

    def read() -> dict[str, Any] | None:
        row: dict[str, Any] = play["dfe"].get(f"/v1/releases/{made['id']}")
        return None if row["status"] == "ingesting" else row

    return wait(f"{file.name} to be read", read)


def find_a_supplier(play: Play) -> None:
    """The trust goes on the register of suppliers, and the commissioner looks for one"""
    play.stage.at("2023-06-20")
    made = play["mat"].ask("PUT", f"/v1/suppliers/{cast.SUPPLIER}", expect=201, json=cast.CAPACITY)
    play.say(
        "mat",
        f"Goes on the register (company {made['companies_house_number']}, UKPRN {made['ukprn']}): room for "
        f"{made['max_contracts']} contracts and {made['max_pupils']:,} pupils at once",
    )
    listed = play["rsc"].get(f"/v1/schools/{cast.SCHOOL}/suppliers", **cast.CONTRACT["term"])
    for each in listed["data"]:
        words = " ".join(each["reasons"])
        play.say(
            "rsc", f"Suppliers for {cast.SCHOOL_NAME}: {each['rank']}. {each['name']} ({each['score']:.2f}). {words}"
        )
    if [each["uid"] for each in listed["data"]] != [cast.SUPPLIER]:
        raise StoryBroken("The supplier should have been on the list.")


def agree(play: Play) -> None:
    """A contract is drafted, offered and signed; on its first day it is active and the ring-fence opens"""
    play.stage.at("2023-06-20")
    for what, change in cast.WRONG.items():
        wrong = cast.CONTRACT | change
        if "term" in change:
            wrong |= {"milestones": []}
        status = 409 if what.startswith("a school") else 422
        problem = play["rsc"].ask("POST", "/v1/contracts", expect=status, json=wrong)
        play.say("rsc", f"Drafts for {what}: {status} {problem['code']}. {problem['detail']}")
    made = play["rsc"].ask("POST", "/v1/contracts", expect=201, json=cast.CONTRACT)
    play.contract = f"/v1/contracts/{made['id']}"
    play.say("rsc", f"Drafts {made['reference']}: {made['title']}, worth up to {telling.pounds(made['value_pence'])}")
    for each in made["outcomes"]:
        play.say("rsc", telling.promise(each))
    overlapping = {"term": {"starts_on": "2024-01-01", "ends_on": "2025-12-31"}, "milestones": []}
    problem = play["rsc"].ask("POST", "/v1/contracts", expect=409, json=cast.CONTRACT | overlapping)
    play.say("rsc", f"Drafts a second one for the same time: 409 {problem['code']}. {problem['detail']}")
    offered = play["rsc"].change(play.contract, "offer")
    play.say("rsc", f"Offers it; its terms are frozen under SHA-256 {offered['agreed_hash'][:16]}…")
    for name, party in (("rsc", "commissioner"), ("mat", "supplier"), ("body", "responsible_body")):
        body = {"party": party, "signed_by": f"for the {party}", "role": "authorised", "signed_on": "2023-06-20"}
        signed = play[name].change(play.contract, "signatures", body, expect=201)
        play.say(name, f"Signs; the contract is {signed['status']}")
    play.before = play.performance()
    play.stage.at("2023-09-01")
    wait("the contract to be active", lambda: play["rsc"].get(play.contract)["status"] == "active")
    fences = wait("the ring-fence", lambda: play["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL)["data"])
    play.say("the clock", f"1 September 2023: the contract is active; ring-fence {telling.days(fences[0])}")


def record(play: Play) -> None:
    """Milestones are recorded, and money falls due"""
    for code, occurred, recorded, note in cast.RECORDS:
        play.stage.at(recorded)
        body = {"status": "met", "occurred_on": occurred, "note": note, "evidence": []}
        path = f"{play.contract}/milestones/{code}/records"
        made = play["mat"].ask("POST", path, expect=201, json=body, key=f"record-{code}")
        again = play["mat"].ask("POST", path, expect=201, json=body, key=f"record-{code}")
        if made["id"] != again["id"]:
            raise StoryBroken("The same request twice made two records.")
        play.say("mat", f"Records {code} as met on {occurred} (leaf {made['leaf_hash'][:12]}…); sent twice, kept once")
    wait("payments", lambda: len(earned(play)) == len(cast.RECORDS) + cast.INSTALMENTS)
    telling.payments(play.console, play["finance"].get("/v1/payments")["data"])
    total = sum(each["amount_pence"] for each in earned(play))
    play.say("finance", f"Sees {telling.pounds(total)} earned, of {telling.pounds(value(play))}")
    strange = play["other_finance"].get("/v1/payments")["data"]
    problem = play["other_finance"].ask("GET", f"{play.contract}/payments", expect=404)
    play.say("other_finance", f"Sees {len(strange)} payments; this contract's: 404 {problem['code']}")
    play.stage.at("2024-09-01")
    wait("the contract to end", lambda: play["rsc"].get(play.contract)["status"] == "completed")
    play.say("the clock", "1 September 2024: every required milestone decided, so the contract is completed")


def earned(play: Play) -> list[dict[str, Any]]:
    """Payments that have been earned, as the finance team sees them."""
    found: list[dict[str, Any]] = play["finance"].get("/v1/payments", status="earned")["data"]
    return found


def value(play: Play) -> int:
    """What the contract can pay at most, in pence."""
    return int(play["finance"].get(play.contract)["value_pence"])


def compare_tables(play: Play) -> None:
    """The trust's performance table does not know the contracted school"""
    after = play.performance()
    telling.tables(play.console, after)
    for view in ("dfe", "platform"):
        if after["views"][view] != play.before["views"][view]:
            raise StoryBroken(f"The contract has changed the {view} view.")
        if any(each["urn"] == cast.SCHOOL for each in after["views"][view]["members"]):
            raise StoryBroken(f"The contracted school is in the {view} view.")
    place = next(each for each in after["reconciliation"] if each["urn"] == cast.SCHOOL)
    play.say("rsc", "With and without the contract, the trust's own views are the same, figure by figure")
    play.say(
        "rsc", f"{cast.SCHOOL_NAME}: {place['role']}, counts in {', '.join(place['counts_in'])}. {place['reason']}"
    )


def evaluate(play: Play) -> None:
    """Results are judged against the target and against matched schools"""
    told = play["rsc"].get(f"{play.contract}/transfer-conditions")["data"]
    for each in (each for each in told if each["state"] != "met"):
        play.say("the gateway", f"No transfer yet: {each['code']} is {each['state']}. {each['detail']}")
    play.stage.at("2025-03-21")
    inspected = send(play, cast.INSPECTION, cast.INSPECTED)
    play.say(
        "dfe", f"Sends an inspection that found the school good (invented, as the contract is): {inspected['status']}"
    )
    asked = {"academic_year": cast.YEAR, "run": "final"}
    verdict = play["rsc"].ask("POST", f"{play.contract}/evaluations", expect=201, json=asked)
    telling.verdict(play.console, verdict)
    if verdict["overall"] != "met":
        raise StoryBroken(f"The verdict is {verdict['overall']}.")
    draw(play, f"/v1/evaluations/{verdict['id']}/plots")


PICTURES = ("school", "changes")


def draw(play: Play, plots: str) -> None:
    """What a picture of the verdict says in words; and two of them as files, where a folder is given for them."""
    play.say("rsc", play["rsc"].get(f"{plots}/changes", format="json")["alt"])
    if play.pictures:
        for name in PICTURES:
            answer = play["rsc"].http.get(f"{plots}/{name}", params={"format": "svg"}).raise_for_status()
            (play.pictures / f"{name}.svg").write_bytes(answer.content)


def look_back(play: Play) -> None:
    """What the public was told, what was due by when, and how the contract once stood"""
    contract_id = play.contract.rpartition("/")[2]
    address = f"{play.stage.base}/v1/ocds/records/{SAMPLE_PREFIX}-{contract_id}"
    record = wait("the last release", lambda: published(address))
    tags = ", ".join(dict.fromkeys(tag for each in record["releases"] for tag in each["tag"]))
    play.say("anybody", f"Reads {len(record['releases'])} releases of open data: {tags}")
    duties = play["rsc"].get("/v1/duties", contract_id=contract_id)["data"]
    telling.duties(play.console, duties[:6])
    late = sum(each["state"] == "overdue" for each in duties)
    play.say("rsc", f"{len(duties)} duties in all, {late} of them late: nobody in this story publishes or pays")
    for day in ("2023-06-20", "2023-09-01", "2024-09-01", cast.EFFECTIVE_ON):
        then = play["rsc"].get(play.contract, as_of=day)
        met = sum(each["status"] == "met" for each in then["milestones"])
        play.say(
            "rsc", f"On {day} the contract was {then['status']}, {met} of {len(then['milestones'])} milestones met"
        )


def published(address: str) -> dict[str, Any] | None:
    """The public record, once it says that the contract has ended in a transfer."""
    answer = httpx.get(address)
    if answer.status_code != 200:
        return None
    found: dict[str, Any] = answer.json()["records"][0]
    milestones = found["compiledRelease"]["contracts"][0]["implementation"]["milestones"]
    return found if any(each["id"] == "transfer-decision" for each in milestones) else None
