"""Rows of the daily file of the register."""

from services.outcomes.feeds.gias_establishments import FULL

HEADER = ",".join(f'"{name}"' for name in FULL.columns.values()).encode() + b"\r\n"
NAME = "Sévigné"


def line(urn: int, name: str = NAME, trust: str = "17", opened: str = "01-09-2010", closed: str = "") -> bytes:
    """A row of the daily file."""
    said = {
        "name": name,
        "la_code": "202",
        "la_name": "Camden",
        "region": "London",
        "phase": "Secondary",
        "kind": "Academy converter",
        "kind_group": "Academies",
        "status": "Open",
        "opened": opened,
        "closed": closed,
        "trust": trust,
        "trust_flag": "3",
    }
    cells = (str(urn) if field == "urn" else f'"{said.get(field, "")}"' for field in FULL.columns)
    return ",".join(cells).encode("cp1252") + b"\r\n"
