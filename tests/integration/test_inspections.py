"""Inspections: monthly files that follow one another, what they are to a school, and what they forbid a contract."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest

from services.demo import cast
from services.kernel.db import Database, role_url
from services.kernel.types import Kind, utc_now
from services.outcomes.arrivals.service import Arrival, receive
from services.outcomes.releases import jobs
from services.outcomes.releases.reading import Read
from services.outcomes.rules.releases import Stage
from tests.inspections import CARD, GRADED, monthly, of
from tests.integration.scenes import Case
from tests.world import OPERATOR, Actor, Json, World, plain_url

SCHOOL = int(cast.SCHOOL)
FAILED = {"graded__concern": "SM", "graded__safeguarding": "No", "graded__overall_effectiveness": "4"}
FIGURES = (
    *("ATT8SCR_WGTAVG", "P8MEA_WGTAVG", "P8CILOW", "P8CIUPP", "PTL2BASICS_95_WGTAVG"),
    *("EBACCAPS_WGTAVG", "PTEBACC_E_PTQ_EE_WGTAVG"),
)
TRUST = (
    "TIME_PERIOD,TRUST_UID,INSTITUTIONS_MATPTINC,TPUP_MATPTINC,"
    + ",".join(figure + end for end in ("", "_FSM6CLA1A", "_NFSM6CLA1A") for figure in FIGURES)
    + f"\n202223,{cast.SUPPLIER},139268;141111,647,"
    + ",".join(["40.4", "-0.68", "-0.79", "-0.56", "34%", "3.31", "29%"] * 3)
    + "\n"
).encode()
ABSENCE = b"LA,URN,PERCTOT,PPERSABS10\n202,100052,8.2,24.0\n"


async def send(world: World, dfe: Actor, content: bytes, on: str = "2026-03-01", feed: str = "ofsted") -> Json:
    """Send a file of inspections and let everything follow from it."""
    fields = {"feed": feed, "release_status": "final", "published_on": on}
    answer = await dfe.ask("POST", "/v1/releases", data=fields, files={"file": ("inspections.csv", content)})
    assert answer.status_code == 202, answer.text
    await world.settle()
    return await dfe.get(answer.headers["location"])


async def seen(dfe: Actor, urn: int = SCHOOL) -> Json:
    return await dfe.get(f"/v1/schools/{urn}/inspections")


@pytest.fixture
async def dfe(seeded_world: World) -> Actor:
    """DfE's own system, on the sample."""
    return await seeded_world.client(Kind.DFE)


async def test_a_school_shows_its_inspections_the_latest_first(seeded_world: World, dfe: Actor) -> None:
    assert (await seen(dfe))["data"] == []
    release = await send(seeded_world, dfe, monthly(of(SCHOOL, CARD, GRADED)))
    assert (release["status"], release["rows_accepted"]) == ("current", 1)
    found = await seen(dfe)
    assert (found["stuck"], found["concern"], found["safeguarding"], found["strong"]) == (False, "none", "met", True)
    assert [each["framework"] for each in found["data"]] == ["report_card_2025", "eif2019_oe"]
    grades = {each["area"]: (each["scale"], each["grade"], each["ordinal"]) for each in found["data"][0]["judgements"]}
    assert grades["leadership_and_governance"] == ("new5", "Expected standard", 3)
    assert grades["post_16_provision"] == ("new5", "Not applicable", None)
    assert found["data"][1]["release"]["id"] == release["id"]
    assert (found["data"][1]["contract_role"], found["data"][1]["below_good"]) == ("none", False)


async def test_of_two_inspections_on_one_day_one_is_kept_and_the_other_listed(seeded_world: World, dfe: Actor) -> None:
    visit = {"ungraded.number": "7", "ungraded.started": GRADED["graded.started"]}
    release = await send(seeded_world, dfe, monthly(of(SCHOOL, CARD, GRADED, visit), of(110000, GRADED)))
    assert (release["status"], release["rows_accepted"], release["rows_rejected"]) == ("current", 1, 1)
    (rejected,) = (await dfe.get(f"/v1/releases/{release['id']}/rejections"))["data"]
    assert (rejected["key"], rejected["code"]) == (str(SCHOOL), "duplicate")
    assert [each["framework"] for each in (await seen(dfe))["data"]] == ["report_card_2025", "eif2019_oe"]


def judged_twice(records: list[Any]) -> list[Any]:
    return [replace(each, judgements=each.judgements * 2) for each in records]


async def test_what_a_reader_gives_twice_refuses_the_file(world: World, subtests: pytest.Subtests) -> None:
    given: list[tuple[str, int | None, bytes, Callable[[list[Any]], list[Any]], str]] = [
        ("ofsted", None, monthly(of(SCHOOL, GRADED)), lambda records: records * 2, "inspection"),
        ("ofsted", None, monthly(of(SCHOOL, CARD)), judged_twice, "judgement"),
        ("trust_ks4", None, TRUST, lambda records: records * 2, "trust observation"),
        ("absence", 2021, ABSENCE, lambda records: records * 2, "observation"),
    ]
    database, day = Database("outcomes", role_url("outcomes", world.database_url)), date(2026, 3, 1)
    for feed, year, content, repeated, what in given:
        with subtests.test(what=what):
            found = await jobs.found_in(feed, year, content, None)
            assert isinstance(found, Read)
            parsed = replace(found.parsed, records=repeated(list(found.parsed.records)))
            facts: Json = {"asked": Arrival(feed, year, Stage.FINAL, day), "filename": "a.csv", "content": content}
            async with database.transaction(OPERATOR) as session:
                row = await receive(session, **facts, caller=OPERATOR, today=day, now=utc_now())
            await jobs.settle(database, row, content, replace(found, parsed=parsed, said=found.said * 2), utc_now())
            told = world.rows("SELECT status, reason_code, detail FROM outcomes.release WHERE id = %(id)s", id=row.id)
            assert told == [("refused", "duplicate_rows", f"The file gives the same {what} more than once.")]
    await database.close()


async def test_an_older_month_fills_gaps_and_takes_the_place_of_nothing(seeded_world: World, dfe: Actor) -> None:
    await send(seeded_world, dfe, monthly(of(SCHOOL, GRADED)), on="2025-03-01")
    late = of(SCHOOL, {**CARD, "report_card.started": "12/11/2025"}, GRADED, graded__overall_effectiveness="3")
    release = await send(seeded_world, dfe, monthly(late), on="2024-12-01")
    assert (release["status"], release["reason_code"]) == ("superseded", "older_snapshot")
    card, graded = (await seen(dfe))["data"]
    assert (card["started_on"], graded["below_good"]) == ("2025-11-12", False)


async def test_a_newer_month_corrects_and_forgets_nothing(seeded_world: World, dfe: Actor) -> None:
    await send(seeded_world, dfe, monthly(of(SCHOOL, GRADED)), on="2025-03-01")
    corrected = monthly(of(SCHOOL, CARD, GRADED, graded__overall_effectiveness="3"))
    await send(seeded_world, dfe, corrected, on="2026-03-01")
    await send(seeded_world, dfe, monthly(of(SCHOOL, CARD)), on="2026-04-01")
    assert [each["below_good"] for each in (await seen(dfe))["data"]] == [False, True]
    assert seeded_world.rows("SELECT count(*) FROM outcomes.inspection") == [(3,)]


async def test_what_others_gathered_never_takes_the_place_of_ofsteds_own(seeded_world: World, dfe: Actor) -> None:
    history = f"URN,Rating,Inspection Date\n{SCHOOL},Inadequate,20240521\n{SCHOOL},Inadequate,20150521\n".encode()
    await send(seeded_world, dfe, history, on="2026-05-01", feed="ofsted_history")
    assert (await seen(dfe))["stuck"] is False
    await send(seeded_world, dfe, monthly(of(SCHOOL, GRADED, graded__overall_effectiveness="3")), on="2024-10-01")
    found = await seen(dfe)
    assert [each["judgements"][0]["grade_code"] for each in found["data"]] == ["3", "4"]
    assert found["stuck"] is True
    await send(
        seeded_world, dfe, history.replace(b"Inadequate,20150521", b"Good,20150521"), "2026-06-01", "ofsted_history"
    )
    assert (await seen(dfe))["stuck"] is False


@pytest.mark.parametrize(
    ("scale", "code", "ordinal"),
    [
        ("old4", "expected_standard", 3),
        ("new5", "2", 2),
        ("old4", "9", 9),
        ("new5", "needs_attention", 3),
        ("x", "1", 1),
    ],
)
async def test_the_database_keeps_the_scales_apart(
    seeded_world: World, dfe: Actor, scale: str, code: str, ordinal: int
) -> None:
    await send(seeded_world, dfe, monthly(of(SCHOOL, GRADED)))
    with psycopg.connect(plain_url(seeded_world.database_url)) as owner, pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(
            "INSERT INTO outcomes.judgement SELECT release_id, urn, started_on, 'achievement', %s, %s, %s"
            " FROM outcomes.inspection",
            (scale, code, ordinal),
        )


@pytest.mark.parametrize(
    ("started", "role", "vetoes", "overall"),
    [
        ("21/05/2024", "accountable", ["safeguarding_not_met", "special_measures"], "not_met"),
        ("21/05/2023", "none", [], "met"),
        ("21/05/2025", "none", [], "met"),
    ],
)
async def test_what_inspectors_found_in_the_term_forbids_that_the_contract_was_met(
    case: Case, started: str, role: str, vetoes: list[str], overall: str
) -> None:
    before = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"][0]
    assert (before["overall"], before["vetoes"]) == ("met", [])
    release = await send(case.world, case["dfe"], monthly(of(SCHOOL, GRADED, graded__started=started, **FAILED)))
    after = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"][0]
    assert (after["overall"], after["vetoes"]) == (overall, vetoes)
    on = "-".join(reversed(started.split("/")))
    [found] = [each for each in (await seen(case["dfe"]))["data"] if each["started_on"] == on]
    assert found["contract_role"] == role
    if started.endswith("2025"):
        assert after == before
    else:
        assert (after["supersedes_id"], after["reopened_by"]) == (before["id"], release["id"])
        assert after["inspection"]["concern"] == "special_measures"
        assert after["kpi_rating"] == ("Inadequate" if vetoes else "Good")


async def test_dfes_own_figures_of_a_trust(seeded_world: World, dfe: Actor) -> None:
    release = await send(seeded_world, dfe, TRUST, feed="trust_ks4")
    assert release["counts_for"] == ["2022/23"]
    found = (await dfe.get(f"/v1/trusts/{cast.SUPPLIER}/observations"))["data"]
    assert len(found) == 15
    progress = next(each for each in found if each["measure"] == "KS4_P8" and each["pupil_group"] == "all")
    assert (progress["value"], progress["lower"], progress["upper"]) == (-0.68, -0.79, -0.56)
    assert (progress["urns"], progress["release"]["id"]) == (["139268", "141111"], release["id"])
    assert (await dfe.ask("GET", "/v1/trusts/1/observations")).status_code == 404
