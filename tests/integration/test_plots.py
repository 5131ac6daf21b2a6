"""Pictures of a verdict: every name in every form, for those who may see the contract and for nobody else."""

import csv
import io
import re
from typing import Any
from xml.etree import ElementTree

import httpx

from services.contracts.evaluations.schemas import Format, Plot
from tests.integration.conftest import Case

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = [each for each in Plot if each not in {Plot.SYNTHETIC, Plot.PORTFOLIO}]


async def verdict(case: Case) -> dict[str, Any]:
    found: dict[str, Any] = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"][0]
    return found


async def picture(case: Case, plot: str, form: str, who: str = "rsc", **query: str) -> httpx.Response:
    path = f"/v1/evaluations/{(await verdict(case))['id']}/plots/{plot}"
    return await case[who].ask("GET", path, params={"format": form, **query})


async def test_every_picture_in_every_form(case: Case) -> None:
    for plot in (each for each in Plot if each is not Plot.SYNTHETIC):
        answers = {form: await picture(case, plot, form) for form in Format}
        for form, answer in answers.items():
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"].startswith(form.media_type)
            assert re.fullmatch(
                rf'</v1/evaluations/[0-9a-f-]+/plots/{plot}\?format=csv>; rel="alternate"; type="text/csv"',
                answer.headers["link"],
            )
            assert answer.headers["cache-control"].startswith("private")
        figures = answers[Format.JSON].json()
        assert figures["drawn"] is (plot in DRAWN), figures["alt"]
        root = ElementTree.fromstring(answers[Format.SVG].content)
        assert root.get("role") == "img"
        assert [root[0].tag, root[1].tag] == [f"{SVG}title", f"{SVG}desc"]
        assert [root[0].text, root[1].text] == [figures["title"], figures["alt"]]
        assert answers[Format.PNG].content.startswith(b"\x89PNG")
        assert figures["title"].encode() in answers[Format.PNG].content
        assert figures["alt"].encode() in answers[Format.PNG].content
        rows = list(csv.DictReader(io.StringIO(answers[Format.CSV].text)))
        assert [list(each) for each in rows] == [figures["table"]["columns"]] * len(figures["table"]["rows"])

        again = await picture(case, plot, "svg")
        assert again.content == answers[Format.SVG].content
