"""Cut the sample files down from DfE's published ones: `python sample/make_sample.py FOLDER-OF-THE-FULL-FILES`.

Deterministic: the same files in give the same bytes out. Columns that name persons are dropped.
"""

import csv
import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PERSONS = ("head", "telnum", "telephone")
"""Columns whose name begins so hold names of persons or their telephone numbers."""
ABSENCE = ("Id", "LAId", "LAName", "RegionId", "RegionName")
RATES = ("Abs_Persistent_Est_{}_Pct", "Abs_Tot_Est_{}_Pct")


def load(path: Path) -> bytes:
    """The bytes of a file, unpacked."""
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def keep(name: str, content: bytes) -> None:
    """Write a packed file without a time in it."""
    (HERE / name).write_bytes(gzip.compress(content, 9, mtime=0))
    print(f"{name}: {(HERE / name).stat().st_size} bytes")


def impersonal(row: dict[str, Any]) -> dict[str, Any]:
    """The row without columns about persons."""
    return {name: value for name, value in row.items() if not name.lower().startswith(PERSONS)}


def as_json(rows: list[dict[str, Any]]) -> bytes:
    """Rows one to a line."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    return f"[{lines}]\n".encode()


def cut_csv(content: bytes, wanted: Any) -> bytes:
    """The rows that are wanted, less the columns about persons; short rows stay short."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    places = [place for place, name in enumerate(rows[0]) if not name.lower().startswith(PERSONS)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in [rows[0], *(row for row in rows[1:] if wanted(dict(zip(rows[0], row, strict=False))))]:
        writer.writerow([row[place] for place in places if place < len(row)])
    return text.getvalue().encode()


def main(data: Path) -> None:
    """Make every sample file."""
    schools = json.loads(load(data / "gias" / "Establishment_202603.json.gz"))
    urns = {row["URN"] for row in schools}
    keep("gias_establishments.json.gz", as_json([impersonal(row) for row in schools]))
    links = load(data / "gias" / "alllinksdata_202203.csv.gz")
    cut = cut_csv(links, lambda row: row["URN"] in urns or row["Group Status"] == "Closed")
    keep("gias_group_links.csv.gz", cut)
    trusts = {row["TrustId"] for row in schools}
    trusts |= {row["Group UID"] for row in csv.DictReader(io.StringIO(cut.decode()))}
    groups = json.loads(load(data / "gias" / "EstablishmentGroups_202603.json.gz"))
    keep("gias_groups.json.gz", as_json([impersonal(row) for row in groups if row["group_uid"] in trusts]))
    keep("gias_links.json.gz", as_json(json.loads(load(data / "gias" / "EstablishmentLinks_202603.json"))))
    absence = json.loads(load(data / "performance" / "absence" / "EstablishmentAbsence_202603.json.gz"))
    keep(
        "absence_2022-23.json.gz",
        as_json([years(row, {"Current": "Previous", "Previous": "Previous2"}) for row in absence]),
    )
    keep("absence_2023-24.json.gz", as_json([years(row, {"Current": "Current"}) for row in absence]))
    census = load(data / "performance" / "census" / "2022-2023_england_census.csv.gz")
    keep("census_2022-23.csv.gz", cut_csv(census, lambda row: row["URN"] in urns | {"NAT"}))
    for stage in ("ks2", "ks4"):
        table = load(data / "performance" / stage / f"2018-2019_936_{stage}final.csv")
        keep(f"{stage}_2018-19.csv.gz", cut_csv(table, lambda _row: True))


def years(row: dict[str, Any], taken: dict[str, str]) -> dict[str, Any]:
    """The absence of some years as the table of an earlier publication had them."""
    rates = {rate.format(new): row[rate.format(old)] for new, old in taken.items() for rate in RATES}
    return {**{name: row[name] for name in ABSENCE}, **rates}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
