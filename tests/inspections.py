"""Ofsted's monthly file with a few schools, for tests."""

import csv
import io

from services.outcomes.feeds.ofsted_blocks import LAYOUTS

COLUMNS = {layout.name: layout.columns for layout in LAYOUTS}
GRADED = {
    "graded.number": "10300001",
    "graded.kind": "S5 Inspection",
    "graded.started": "21/05/2024",
    "graded.published": "11/09/2024",
    "graded.concern": "",
    "graded.overall_effectiveness": "2",
    "graded.quality_of_education": "2",
    "graded.leadership_and_management": "2",
    "graded.safeguarding": "Yes",
    "graded.sixth_form_provision": "9",
}
CARD = {
    "report_card.number": "10400001",
    "report_card.started": "25/11/2025",
    "report_card.published": "10/02/2026",
    "report_card.concern": "",
    "report_card.safeguarding": "Met",
    "report_card.achievement": "Strong standard",
    "report_card.leadership_and_governance": "Expected standard",
    "report_card.post_16_provision": "Not applicable",
}


def monthly(*schools: dict[str, str], layout: str = "report_cards") -> bytes:
    """The file: a row for each school, by the names that the layout gives its columns; the rest is NULL."""
    columns = COLUMNS[layout]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns.values())
    for school in schools:
        assert school.keys() <= columns.keys(), school.keys() - columns.keys()
        writer.writerow([school.get(field, "NULL") for field in columns])
    return out.getvalue().encode()


def of(urn: int, *blocks: dict[str, str], **more: str) -> dict[str, str]:
    """A school's row with these blocks, each of its present life unless `more` says otherwise."""
    row = {"urn": str(urn)}
    for block in blocks:
        name = next(iter(block)).partition(".")[0]
        row |= {f"{name}.urn": str(urn), **block}
    return row | {name.replace("__", "."): value for name, value in more.items()}
