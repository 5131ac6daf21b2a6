"""The task list of a transfer: pre-filled, worked through by its owners, and brought to a newer template."""

from services.demo import cast
from services.gateway.rules.templates import TEMPLATES
from services.gateway.rules.transfer import Route
from tests.integration.conftest import finish_steps, judged_anew, memberships, problem, refused, to
from tests.integration.scenes import Case
from tests.world import Json, change

GATE = "authority_to_proceed"


def by_key(transfer: Json) -> dict[str, Json]:
    """The steps of a transfer by their keys."""
    return {each["key"]: each for each in transfer["steps"]}


async def test_the_list_is_whole_and_says_what_is_known_of_the_school(case: Case) -> None:
    found = await case["rsc"].get(case.transfer)
    assert found["template_version"] == "2"
    assert [each["key"] for each in found["steps"]] == [step.key for step in TEMPLATES[Route.TRUST_TO_TRUST]]
    church = by_key(found)["church_supplemental_agreement"]
    assert (church["status"], church["finished_by"]) == ("not_applicable", {"source": "GIAS"})
    assert church["reason"].startswith("Religious character:")
    closing = by_key(found)["closure_or_transfer_declaration"]["known"]
    assert (closing["held"], closing["detail"]) == (True, "Schools of the outgoing trust: 1.")
    untold = by_key(found)["new_urn_and_record"]
    assert (untold["status"], untold["optional"], untold["known"]["held"]) == ("open", True, None)


async def test_steps_are_finished_by_their_owners_in_their_order(case: Case) -> None:
    done, waived = {"status": "done"}, {"status": "not_applicable", "reason": "no land of its own"}
    await refused(case, "mat", f"steps/{GATE}/completion", done, 403, "not_your_step")
    await refused(case, "rsc", "steps/open_membership/completion", done, 403, "not_your_step")
    await refused(case, "rsc", "steps/no_such_step/completion", done, 404, "not_found")
    locked = await refused(case, "rsc", f"steps/{GATE}/completion", done, 409, "step_locked")
    assert locked["waiting_for"][:2] == ["supplemental_funding_agreement", "deed_of_novation_and_variation"]
    for key in ("land_consent_letter", "academy_transferred", "redact_and_send", "expenditure_certificate"):
        owner = "mat" if key == "expenditure_certificate" else "rsc"
        await refused(case, owner, f"steps/{key}/completion", done, 409, "step_locked")
    await refused(case, "mat", "steps/bank_details/completion", waived, 409, "step_mandatory")
    await refused(case, "body", "steps/form_m/completion", {"status": "not_applicable"}, 422, "invalid")
    late = done | {"done_on": "2030-01-01"}
    await refused(case, "body", "steps/form_m/completion", late, 422, "invalid")
    document = {"title": "Form M", "url": "https://example.org/form-m.pdf", "sha256": "a" * 64}
    answer = {"document": document, "done_on": "2025-03-20"}
    finished = by_key(await case["body"].change(case.transfer, "steps/form_m/completion", done | answer))["form_m"]
    assert (finished["status"], finished["answer"]) == ("done", answer)
    assert finished["finished_by"]["kind"] == "responsible_body"
    await refused(case, "body", "steps/form_m/completion", done, 409, "step_finished")
    await refused(case, "mat", "steps/form_m/reopening", {"reason": "wrong plan"}, 403, "not_your_step")
    opened = await case["body"].change(case.transfer, "steps/form_m/reopening", {"reason": "wrong plan"})
    assert (by_key(opened)["form_m"]["status"], by_key(opened)["form_m"]["reason"]) == ("open", "wrong plan")
    await refused(case, "body", "steps/form_m/reopening", {"reason": "again"}, 409, "step_open")
    again = by_key(await case["body"].change(case.transfer, "steps/form_m/completion", waived))["form_m"]
    assert (again["status"], again["reason"]) == ("not_applicable", waived["reason"])
    church = "steps/church_supplemental_agreement/reopening"
    asked = await case["rsc"].change(case.transfer, church, {"reason": "the diocese has land here"})
    assert by_key(asked)["church_supplemental_agreement"]["status"] == "open"


async def test_new_identifiers_are_given_where_they_are_asked_for_and_are_others(case: Case) -> None:
    step = "steps/new_urn_and_record/completion"
    await refused(case, "rsc", step, {}, 422, "bad_answer")
    await refused(case, "rsc", step, {"new_urn": cast.SCHOOL}, 422, "bad_answer")
    await refused(case, "rsc", step, {"new_urn": "12"}, 422, "invalid")
    await refused(case, "rsc", "steps/main_contact/completion", {"new_urn": "150123"}, 422, "bad_answer")
    given = await case["rsc"].change(case.transfer, step, {"new_urn": "150123", "new_laestab": "8889999"})
    assert by_key(given)["new_urn_and_record"]["answer"] == {"new_urn": "150123", "new_laestab": "8889999"}


async def test_what_comes_after_the_day_stays_open_and_nothing_before_it_is_opened_again(ready: Case) -> None:
    await refused(ready, "rsc", "steps/deed_of_novation_and_variation/reopening", {"reason": "x"}, 409, "step_locked")
    await to(ready.world, cast.EFFECTIVE_ON)
    why = {"reason": "a mistake"}
    await refused(ready, "rsc", f"steps/{GATE}/reopening", why, 409, "no_way_back")
    await ready["rsc"].change(ready.transfer, "steps/academy_transferred/completion", {"done_on": cast.EFFECTIVE_ON})
    for key in ("redact_and_send", "termination_of_master_funding_agreement"):
        found = await ready["rsc"].change(ready.transfer, f"steps/{key}/completion", {})
        assert (found["status"], by_key(found)[key]["status"]) == ("completed", "done")
    assert by_key(found)["expenditure_certificate"]["status"] == "open"


OLD = (
    ("stakeholder_kick_off", "commissioner", False),
    ("deed_of_novation", "supplier", False),
    ("incoming_trust_ready", "supplier", False),
    ("authority_to_proceed", "commissioner", True),
    ("a_step_of_then", "supplier", False),
    ("open_membership", "worker", False),
    ("freeze_contract", "worker", False),
)


async def test_answers_stay_with_their_steps_when_a_list_moves_to_a_newer_template(case: Case) -> None:
    """A transfer as its first version wrote it, with a step that has gone since."""
    transfer_id, url = case.transfer.rpartition("/")[2], case.world.database_url
    change(url, "DELETE FROM gateway.transfer_step WHERE transfer_id = %(id)s", id=transfer_id)
    change(url, "UPDATE gateway.transfer SET template_version = '1' WHERE id = %(id)s", id=transfer_id)
    for place, (key, owner, gate) in enumerate(OLD):
        change(
            url,
            "INSERT INTO gateway.transfer_step (transfer_id, key, place, title, section, owner, actor, depends_on,"
            " asks, gate, optional, status) VALUES (%(id)s, %(key)s, %(place)s, 'As it was', 'legal', %(owner)s,"
            " 'system', '[]', '[]', %(gate)s, false, 'open')",
            id=transfer_id,
            key=key,
            place=place,
            owner=owner,
            gate=gate,
        )
    await case["mat"].change(case.transfer, "steps/deed_of_novation/completion", {"reason": "signed in March"})
    tag = {"If-Match": (await case["rsc"].ask("GET", case.transfer)).headers["etag"]}
    problem(await case["mat"].ask("POST", f"{case.transfer}/template", headers=tag), 403, "not_your_move")
    found = await case["rsc"].change(case.transfer, "template")
    steps = by_key(found)
    assert found["template_version"] == "2"
    assert list(steps) == [*(step.key for step in TEMPLATES[Route.TRUST_TO_TRUST]), "a_step_of_then"]
    deed = steps["deed_of_novation_and_variation"]
    assert (deed["status"], deed["reason"], deed["section"]) == ("done", "signed in March", "legal")
    assert steps["incoming_trust_completed_actions"]["status"] == "open"
    assert (steps["a_step_of_then"]["status"], steps["a_step_of_then"]["gate"]) == ("not_applicable", False)
    assert steps["church_supplemental_agreement"]["status"] == "not_applicable"
    (told,) = case.world.rows("SELECT data FROM gateway.event WHERE type = 'transfer.template'")[0]
    assert told["renamed"] == {
        "deed_of_novation_and_variation": "deed_of_novation",
        "incoming_trust_completed_actions": "incoming_trust_ready",
    }
    tag = {"If-Match": (await case["rsc"].ask("GET", case.transfer)).headers["etag"]}
    problem(await case["rsc"].ask("POST", f"{case.transfer}/template", headers=tag), 409, "status_forbids")


async def test_a_school_of_a_local_authority_converts_and_joins_under_its_new_urn(case: Case) -> None:
    """The same school as if GIAS had it in no trust: the other list, another consent, and a new URN on the day."""
    url = case.world.database_url
    await case["rsc"].change(case.transfer, "cancellation", {"reason": "to be proposed anew"})
    change(url, "DELETE FROM outcomes.membership WHERE urn = %(urn)s", urn=int(cast.SCHOOL))
    change(
        url,
        "UPDATE outcomes.establishment SET kind = 'Voluntary aided school', religious_character ="
        " 'Church of England' WHERE urn = %(urn)s",
        urn=int(cast.SCHOOL),
    )
    await judged_anew(case, {})
    found = (await case["rsc"].get("/v1/transfers", status="proposed"))["data"][0]
    new = Case(case.world, case.actors, case.contract, f"/v1/transfers/{found['id']}")
    assert (found["route"], found["needed"]) == ("conversion", ["rsc", "trust_board", "governing_body", "diocese"])
    steps = by_key(found)
    assert [each["key"] for each in found["steps"]] == [step.key for step in TEMPLATES[Route.CONVERSION]]
    assert steps["church_supplemental_agreement"]["optional"] is False
    assert steps["trust_modification_order"]["known"]["source"] == "GIAS"
    for name, by in (("rsc", "rsc"), ("mat", "trust_board"), ("body", "governing_body"), ("rsc", "diocese")):
        decision = {"by": by, "decision": "approved", "decided_on": "2025-03-21"}
        await new[name].change(new.transfer, "consents", decision, 201)
    day = {"effective_on": cast.EFFECTIVE_ON, "confirmed": True, "reason": "as agreed"}
    await new["rsc"].change(new.transfer, "effective-date", day)
    await finish_steps(new, new_urn="150123")
    await to(case.world, cast.EFFECTIVE_ON)
    done = await new["rsc"].get(new.transfer)
    assert (done["status"], done["result"]["urn"]) == ("completed", "150123")
    assert memberships(case) == []
    package = (await new["dfe"].get(f"{new.transfer}/hand-over"))["package"]
    assert (package["urn"], package["previous_urn"], package["route"]) == ("150123", cast.SCHOOL, "conversion")
