"""Pictures of a verdict: every name in every form, for those who may see the contract and for nobody else."""

import csv
import io
from uuid import UUID, uuid4
from xml.etree import ElementTree

import httpx
import pytest

from services.demo import cast
from services.kernel.auth import service_caller
from services.kernel.types import Kind
from services.outcomes.plots.queries import yearly
from services.pictures import Format, Plot
from tests.integration.conftest import problem
from tests.integration.scenes import Case
from tests.world import REWRITE_RELEASES, Json, change

SVG = "{http://www.w3.org/2000/svg}"
THERE = [each for each in Plot if each is not Plot.SYNTHETIC]
LASTING = {Plot.CHANGES, Plot.FUNNEL, Plot.BALANCE}
HIDE = """UPDATE outcomes.evaluation SET inputs = jsonb_set(inputs, '{evidence,0,readings,2023}',
 inputs #> '{evidence,0,readings,2023}' || '{"state": "suppressed", "value": null, "n": null}'),
 result = jsonb_set(result, '{measures,0}', result #> '{measures,0}'
 || '{"status": "not_measurable", "reasons": ["suppressed"], "actual": null, "actual_ci95": null, "effect": null}')"""


async def verdict(case: Case) -> Json:
    return (await case["rsc"].get(f"{case.contract}/evaluations"))["data"][0]


async def ask(case: Case, plot: str, who: str = "rsc", headers: Json = None, **query: str) -> httpx.Response:
    path = f"/v1/evaluations/{(await verdict(case))['id']}/plots/{plot}"
    return await case[who].ask("GET", path, params=query, headers=headers or {})


def cells(row: Json) -> dict[str, str]:
    """A row of figures as a spreadsheet has it."""
    return {name: "" if value is None else str(value) for name, value in row.items()}


async def test_every_picture_in_every_form(case: Case) -> None:
    for plot in THERE:
        await check(case, plot)


async def test_the_path_of_a_contract_that_was_cut_short_is_that_of_the_term_as_agreed(case: Case) -> None:
    whole = (await ask(case, Plot.RAG, format="json")).json()["table"]["rows"][0]
    assert whole["expected"] == 32.0, "the only year of the term is its last"
    change(
        case.world.database_url, "UPDATE contracts.contract SET ends_on = '2026-08-31', latest_ends_on = '2026-08-31'"
    )
    cut_short = (await ask(case, Plot.RAG, format="json")).json()["table"]["rows"][0]
    baseline = (await verdict(case))["measures"][0]["baseline"]["value"]
    assert cut_short["expected"] == pytest.approx(baseline + 0.25 * (32.0 - baseline), abs=1e-4)


async def check(case: Case, plot: Plot) -> None:
    """The picture says the same in each of its forms, and drawn again it is the same picture."""
    answers = {form: await ask(case, plot, format=form) for form in Format}
    for form, answer in answers.items():
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(form.media_type)
        path = f"/v1/evaluations/{answers[Format.JSON].json()['evaluation_id']}/plots/{plot}?format=csv"
        assert answer.headers["link"] == f'<{path}>; rel="alternate"; type="text/csv"'
        lasting = "private, max-age=86400, immutable" if plot in LASTING else "private, no-cache"
        assert (answer.headers["cache-control"], answer.headers["vary"]) == (lasting, "Accept")
    assert len({answer.headers["etag"] for answer in answers.values()}) == len(Format)
    figures = answers[Format.JSON].json()
    assert figures["drawn"] is (plot is not Plot.PORTFOLIO), "there is only one contract"
    root = ElementTree.fromstring(answers[Format.SVG].content)
    assert (root.get("role"), root[0].tag, root[1].tag) == ("img", f"{SVG}title", f"{SVG}desc")
    assert (root[0].text, root[1].text) == (figures["title"], figures["alt"])
    assert root.get("aria-labelledby") == f"{root[0].get('id')} {root[1].get('id')}"
    png = answers[Format.PNG].content
    assert png.startswith(b"\x89PNG")
    assert figures["title"].encode() in png
    assert figures["alt"].encode() in png
    table = csv.DictReader(io.StringIO(answers[Format.CSV].text))
    assert [{name: cell.removeprefix("'") for name, cell in row.items()} for row in table] == [
        cells(each) for each in figures["table"]["rows"]
    ]
    assert table.fieldnames == figures["table"]["columns"]
    svg, again = answers[Format.SVG], await ask(case, plot, format="svg")
    assert (again.content, again.headers["etag"]) == (svg.content, svg.headers["etag"])


async def test_what_is_drawn_is_what_was_published(case: Case) -> None:
    """Fulwood Academy's persistent absence as DfE has it, and the verdict's own figures beside it."""
    listed = await verdict(case)
    assert await case["rsc"].get(f"/v1/evaluations/{listed['id']}") == listed
    judged = listed["measures"][0]
    rows = (await ask(case, "school", format="json")).json()["table"]["rows"]
    published = case.world.rows(
        "SELECT academic_year, value::float FROM outcomes.observation WHERE urn = %(urn)s AND measure = 'ABS_PA'"
        " ORDER BY academic_year",
        urn=int(cast.SCHOOL),
    )
    assert [(int(each["academic_year"][:4]), each["value"]) for each in rows] == [
        (year, pytest.approx(value, abs=1e-4)) for year, value in published
    ]
    assert rows[-1]["value"] == pytest.approx(judged["actual"]["value"], abs=1e-4)
    assert (rows[-1]["low95"], rows[-1]["high95"]) == tuple(
        pytest.approx(judged["actual_ci95"][end], abs=1e-4) for end in ("low", "high")
    )
    outcomes = [each["outcome"] for each in judged["comparators"]["comparators"]]
    assert rows[-1]["comparators"] == len(outcomes) == 50
    middle = sorted(outcomes)[24:26]
    assert rows[-1]["comparators_median"] == pytest.approx(sum(middle) / 2, abs=1e-4)
    assert (rows[-1]["target"], rows[-1]["release_status"]) == (32.0, "final")
    places = 'decimals = \'{"ABS_PA": 4, "ABS_OVERALL": 2}\''
    change(case.world.database_url, REWRITE_RELEASES + places)
    asked = {"urns": [int(cast.SCHOOL)], "used": [UUID(each["id"]) for each in judged["releases"]], "before": 2023}
    async with case.world.database("outcomes").transaction(service_caller("outcomes")) as session:
        found = await yearly(session, ["ABS_PA"], **asked)
    assert [(each.year, each.value, each.decimals) for each in found] == [(*each, 4) for each in published]
    changes = (await ask(case, "changes", format="json")).json()
    assert sum(each["schools"] for each in changes["table"]["rows"] if each["what"] == "comparators") == 50
    assert f"p = {judged['effect']['p_rank']:.3f}" in changes["alt"]


async def test_the_form_and_the_outcome_that_are_asked_for(case: Case) -> None:
    assert (await ask(case, "school")).headers["content-type"] == "image/svg+xml"
    for accept, given in (
        ("text/html, image/png;q=0.9", "image/png"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("application/json", "application/json"),
    ):
        assert (await ask(case, "school", headers={"Accept": accept})).headers["content-type"] == given
    assert (await ask(case, "school", headers={"Accept": "text/csv"}, format="png")).content.startswith(b"\x89PNG")
    second = (await ask(case, "school", format="json", outcome="O2")).json()
    assert (second["outcome"], second["measure"]) == ("O2", "ABS_OVERALL")
    link = (await ask(case, "school", format="json", outcome="O2")).headers["link"]
    assert "outcome=O2&format=csv>" in link
    unknown = problem(await ask(case, "school", outcome="O9"), 404, "unknown_outcome")
    assert "O1, O2" in unknown["detail"]
    problem(await ask(case, "pie"), 422)
    problem(await ask(case, "school", format="gif"), 422)
    missing = problem(await ask(case, "synthetic"), 404, "no_synthetic_control")
    assert "2 years" in missing["detail"]
    first = await ask(case, "funnel")
    again = await ask(case, "funnel", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (await ask(case, "funnel", headers={"If-None-Match": '"other"'})).status_code == 200


async def test_only_who_may_see_the_contract_sees_its_verdicts(case: Case) -> None:
    found = (await verdict(case))["id"]
    strangers = (
        await case.world.client(Kind.SUPPLIER, trust_uid=cast.ANOTHER_TRUST),
        await case.world.client(Kind.COMMISSIONER, regions=["South East"], organisation="rsc-south-east"),
    )
    told = set()
    for path in (f"/v1/evaluations/{found}", f"/v1/evaluations/{found}/plots/school"):
        for stranger in strangers:
            told.add(problem(await stranger.ask("GET", path), 404, "not_found")["detail"])
        told.add(problem(await case["rsc"].ask("GET", path.replace(found, str(uuid4()))), 404, "not_found")["detail"])
        unscoped = await case.world.client(Kind.DFE, scopes=["contracts:read"])
        problem(await unscoped.ask("GET", path), 403, "insufficient_scope")
        for who in ("mat", "dfe"):
            assert (await case[who].ask("GET", path)).status_code == 200
    assert told == {"No such evaluation."}


async def test_what_is_withheld_is_a_gap_and_what_cannot_be_judged_says_why(case: Case) -> None:
    change(case.world.database_url, HIDE)
    figures = (await ask(case, "school", format="json")).json()
    assert (figures["table"]["rows"][-1]["value"], figures["table"]["rows"][-1]["reason"]) == (
        None,
        "withheld: few pupils",
    )
    assert "No value in 2023/24: withheld: few pupils." in figures["alt"]
    for plot in ("changes", "funnel", "rag", "portfolio"):
        empty = await ask(case, plot, format="json")
        assert (empty.status_code, empty.json()["drawn"]) == (200, False)
        picture = await ask(case, plot)
        assert b"Nothing is drawn, because" in picture.content


COPIES = (
    "INSERT INTO contracts.contract SELECT (jsonb_populate_record(c, jsonb_build_object('id', %(id)s::text,"
    " 'reference', %(reference)s::text, 'school_urn', %(urn)s::int, 'school_id', NULL, 'region', %(region)s::text,"
    " 'organisation', %(organisation)s::text, 'supplier_uid', '2864', 'value_pence', c.fee_pence,"
    " 'evaluation', c.evaluation || jsonb_build_object('id', %(id)s::text)))).* FROM contracts.contract c"
    " WHERE c.reference = 'CTR-2023-000001'",
    "INSERT INTO outcomes.evaluation SELECT (jsonb_populate_record(e, jsonb_build_object('id', %(id)s::text,"
    " 'contract_id', %(id)s::text, 'result', jsonb_set(e.result, '{measures,0,effect,tau}', '-2.0')))).*"
    " FROM outcomes.evaluation e WHERE e.contract_id <> %(id)s::uuid ORDER BY e.id LIMIT 1",
)


async def test_a_portfolio_holds_the_contracts_that_the_reader_may_see(case: Case) -> None:
    here, elsewhere = ("North West", "rsc-north-west"), ("South East", "rsc-south-east")
    for number, (region, organisation) in ((2, here), (3, elsewhere)):
        facts = {"id": str(uuid4()), "reference": f"CTR-2023-00000{number}", "urn": 100_000 + number}
        for copy in COPIES:
            change(case.world.database_url, copy, **facts, region=region, organisation=organisation)
    seen = {}
    for who in ("rsc", "dfe", "mat"):
        figures = (await ask(case, "portfolio", who, format="json")).json()
        seen[who] = {each["contract"]: each for each in figures["table"]["rows"]}
    assert {who: sorted(int(each[-1]) for each in found) for who, found in seen.items()} == {
        "rsc": [1, 2],
        "dfe": [1, 2, 3],
        "mat": [],
    }
    own, other = seen["rsc"]["CTR-2023-000001"], seen["rsc"]["CTR-2023-000002"]
    effect = (await verdict(case))["measures"][0]["effect"]
    assert (own["raw"], other["raw"]) == (pytest.approx(-effect["tau"], abs=1e-4), 2.0)
    assert (own["this_contract"], other["this_contract"]) == ("yes", "no")
    assert 2.0 < other["shrunk"] < own["shrunk"] < own["raw"]
    assert (await ask(case, "portfolio")).content.count(b"CTR-2023-000002") == 2, (
        "in the description and beside its row"
    )
