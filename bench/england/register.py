"""The register of establishments (GIAS `edubasealldata`) of an invented country, of a day and of the day after."""

from collections.abc import Iterator, Mapping

import numpy as np

from bench.england import words
from bench.england.country import TODAY, Country, Size
from bench.england.words import Ints, Texts, days, drawn, joined, table, texts

CHANGED = 0.01
"""The share of rows that differ on the next day."""
ADDED, REMOVED = 12, 5
NOTHING = (
    "BSOInspectorateName (name)", "TeenMoth (name)", "CCF (name)", "SENPRU (name)", "EBD (name)", "FTProv (name)",
    "EdByOther (name)", "Section41Approved (name)", "QABName (name)", "EstablishmentAccredited (name)",
    "FurtherEducationType (name)", "FederationFlag (name)",
)  # fmt: skip
"""Columns that say `Not applicable` of most establishments."""


def columns() -> tuple[str, ...]:
    """The names of the register's columns, in their order."""
    return words.lines("gias_columns.txt")


def register(land: Country) -> dict[str, Texts]:
    """Every cell of the register, by column."""
    rng, n = land.size.generator(2), len(land.urns)
    found = {name: texts([""] * n) for name in columns()}
    found |= {name: texts(["Not applicable"] * n) for name in NOTHING}
    found |= identity(land, rng)
    found |= trust(land)
    found |= place(land, rng)
    found |= people(land, rng)
    found |= teaching(land, rng)
    return found


def identity(land: Country, rng: np.random.Generator) -> dict[str, Texts]:
    """What an establishment is and was."""
    n = len(land.urns)
    closed = land.closed > 0
    reason = np.where(closed, "Academy Converter", "")
    where = table("authorities.csv")
    said = {
        "EstablishmentTypeGroup (code)": "group_code", "EstablishmentTypeGroup (name)": "group",
        "TypeOfEstablishment (code)": "kind_code", "TypeOfEstablishment (name)": "kind",
        "EstablishmentStatus (code)": "status_code", "EstablishmentStatus (name)": "status",
        "PhaseOfEducation (code)": "phase_code", "PhaseOfEducation (name)": "phase",
    }  # fmt: skip
    return {name: texts(land.said(column)) for name, column in said.items()} | {
        "URN": texts(land.urns.tolist()),
        "LA (code)": texts(where[each]["la"] for each in land.authorities.tolist()),
        "LA (name)": texts(where[each]["la_name"] for each in land.authorities.tolist()),
        "GOR (code)": texts(where[each]["gor"] for each in land.authorities.tolist()),
        "GOR (name)": texts(where[each]["region"] for each in land.authorities.tolist()),
        "EstablishmentNumber": texts(rng.integers(1000, 7000, n).tolist()),
        "EstablishmentName": names(land, rng),
        "ReasonEstablishmentOpened (code)": texts(["10"] * n),
        "ReasonEstablishmentOpened (name)": texts(["Academy Converter"] * n),
        "ReasonEstablishmentClosed (code)": texts(np.where(closed, "10", "99").tolist()),
        "ReasonEstablishmentClosed (name)": texts(reason.tolist()),
        "OpenDate": days(land.opened),
        "CloseDate": days(land.closed),
        "LastChangedDate": days(TODAY - rng.integers(1, 2_000, n)),
        "UKPRN": texts(np.where(rng.random(n) < 0.6, (10_000_000 + np.arange(n)).astype(str), "").tolist()),
    }


def names(land: Country, rng: np.random.Generator) -> Texts:
    """Names of schools; two in five with a saint and a curly apostrophe."""
    n, phases = len(land.urns), land.said("phase")
    saints = joined(
        "St ",
        drawn(rng, words.SAINTS, n),
        f"{words.APOSTROPHE}s ",
        drawn(rng, ("Church of England ", "Catholic ", ""), n),
    )
    plain = joined(drawn(rng, words.TREES, n), " ", drawn(rng, words.PLACES, n), " ")
    holy = rng.random(n) < 0.4
    ends = [f"{phase} School" if phase in {"Primary", "Secondary"} else "Centre for Learning" for phase in phases]
    return joined(texts(np.where(holy, saints, plain).tolist()), texts(ends))


def trust(land: Country) -> dict[str, Texts]:
    """Which trust an establishment is in: the flag tells trusts with one school from those with several."""
    trusts = land.trusts.tolist()
    single = set(land.alone.tolist())
    several, one = "Supported by a multi-academy trust", "Supported by a single-academy trust"
    flags = [
        ("0", "Not applicable") if each < 0 else (("5", one) if each in single else ("3", several)) for each in trusts
    ]
    return {
        "TrustSchoolFlag (code)": texts(code for code, _ in flags),
        "TrustSchoolFlag (name)": texts(name for _, name in flags),
        "Trusts (code)": texts(trust_uid(each) for each in trusts),
        "Trusts (name)": texts(trust_name(each).upper() for each in trusts),
        "SchoolSponsorFlag (name)": texts("Linked to a sponsor" if each >= 0 else "Not applicable" for each in trusts),
    }


def trust_uid(at: int) -> str:
    """The group UID of a trust; empty for none."""
    return str(2000 + at) if at >= 0 else ""


def trust_name(at: int) -> str:
    """The name of a trust; empty for none."""
    if at < 0:
        return ""
    tree, where = words.TREES[at % len(words.TREES)], words.PLACES[at // len(words.TREES) % len(words.PLACES)]
    return f"{tree} {where} Learning Trust {at}"


def place(land: Country, rng: np.random.Generator) -> dict[str, Texts]:
    """Where an establishment is: address, areas of government and statistics, and the British National Grid."""
    n = len(land.urns)
    towns, area = (
        words.lines("towns.txt"),
        texts(table("authorities.csv")[each]["la_name"] for each in land.authorities),
    )
    number = texts(f"{each:03d}" for each in rng.integers(1, 60, n).tolist())
    lower = drawn(rng, "ABCDEF", n)
    urban = (
        ("UN1", "Urban: Nearer to a major town or city"),
        ("RSN1", "Smaller rural: Nearer to a major town or city"),
    )
    return {
        "Street": joined(drawn(rng, words.TREES, n), " ", drawn(rng, ("Road", "Street", "Avenue", "Lane"), n)),
        "Locality": drawn(rng, towns, n, 0.4),
        "Town": drawn(rng, towns, n),
        "County (name)": drawn(rng, ("Kent", "Essex", "Surrey", "Devon", "Lancashire"), n, 0.5),
        "Postcode": joined(drawn(rng, ("SW", "LS", "NE", "B", "GU"), n), number, " 4AB"),
        "DistrictAdministrative (code)": joined("E0900", number),
        "DistrictAdministrative (name)": area,
        "AdministrativeWard (code)": joined("E0500", number),
        "AdministrativeWard (name)": joined(drawn(rng, towns, n), " and ", drawn(rng, words.PLACES, n)),
        "ParliamentaryConstituency (code)": joined("E1400", number),
        "ParliamentaryConstituency (name)": joined(
            drawn(rng, towns, n), " ", drawn(rng, ("North", "South", "East"), n)
        ),
        "UrbanRural (code)": texts([urban[at][0] for at in (rng.random(n) < 0.2).astype(int)]),
        "UrbanRural (name)": drawn(rng, [name for _, name in urban], n),
        "GSSLACode (name)": joined("E09000", number),
        "Easting": texts(land.easting.tolist()),
        "Northing": texts(land.northing.tolist()),
        "MSOA (name)": joined(area, " ", number),
        "LSOA (name)": joined(area, " ", number, lower),
        "MSOA (code)": joined("E02000", number),
        "LSOA (code)": joined("E01000", number),
        "UPRN": texts((100_000_000_000 + np.arange(n)).tolist()),
        "PreviousLA (code)": drawn(rng, ("999", "914"), n),
    }


def people(land: Country, rng: np.random.Generator) -> dict[str, Texts]:
    """Heads, telephones and addresses on the web, which fill the file and are not read."""
    n = len(land.urns)
    return {
        "HeadTitle (name)": drawn(rng, ("Mr", "Mrs", "Ms", "Miss", "Dr"), n, 0.8),
        "HeadFirstName": drawn(rng, words.FIRST, n, 0.8),
        "HeadLastName": drawn(rng, words.LAST, n, 0.8),
        "HeadPreferredJobTitle": drawn(rng, ("Headteacher", "Principal", "Executive Headteacher"), n, 0.6),
        "TelephoneNum": texts((1_200_000_000 + rng.integers(0, 10**8, n)).tolist()),
        "SchoolWebsite": joined(
            "https://www.", drawn(rng, words.TREES, n), texts(land.urns.tolist()), ".example.sch.uk/"
        ),
    }


def teaching(land: Country, rng: np.random.Generator) -> dict[str, Texts]:
    """Ages, faith, admissions, places and pupils."""
    n = len(land.urns)
    secondary = np.array([phase == "Secondary" for phase in land.said("phase")])
    known = np.where(np.array(land.said("status_code")) == "1", land.pupils.astype(str), "")
    selective = np.where(secondary & (rng.random(n) < 0.045), "Selective", "Non-selective")
    boys = np.rint(land.pupils * 0.51).astype(int)
    return {
        "StatutoryLowAge": texts(np.where(secondary, "11", "3").tolist()),
        "StatutoryHighAge": texts(np.where(secondary, "18", "11").tolist()),
        "Boarders (code)": texts(["1"] * n),
        "Boarders (name)": texts(["No boarders"] * n),
        "NurseryProvision (name)": drawn(rng, ("Has Nursery Classes", "No Nursery Classes", "Not applicable"), n),
        "OfficialSixthForm (code)": texts(["2"] * n),
        "OfficialSixthForm (name)": texts(["Does not have a sixth form"] * n),
        "Gender (code)": texts(["3"] * n),
        "Gender (name)": texts(["Mixed"] * n),
        "ReligiousCharacter (code)": drawn(rng, ("00", "02", "03", "06"), n),
        "ReligiousCharacter (name)": drawn(rng, ("Does not apply", "Church of England", "Roman Catholic", "None"), n),
        "Diocese (name)": drawn(rng, ("Not applicable", "Diocese of Oxford", "Archdiocese of Southwark"), n),
        "AdmissionsPolicy (code)": texts(np.where(selective == "Selective", "2", "4").tolist()),
        "AdmissionsPolicy (name)": texts(selective.tolist()),
        "SchoolCapacity": texts((land.pupils + 40).tolist()),
        "SpecialClasses (code)": texts(["2"] * n),
        "SpecialClasses (name)": texts(["No Special Classes"] * n),
        "CensusDate": texts(["16-01-2026"] * n),
        "NumberOfPupils": texts(known.tolist()),
        "NumberOfBoys": texts(boys.tolist()),
        "NumberOfGirls": texts((land.pupils - boys).tolist()),
        "PercentageFSM": texts(f"{each:.1f}" for each in land.meals.tolist()),
        "FSM": texts(np.rint(land.pupils * land.meals / 100).astype(int).tolist()),
        "TypeOfResourcedProvision (name)": drawn(rng, ("Resourced provision", "Not applicable"), n, 0.5),
    }


def next_day(size: Size, today: Mapping[str, Texts]) -> dict[str, Texts]:
    """The register a day later: one row in a hundred changed, a few schools added, a few gone."""
    rng, n = size.generator(3), len(today["URN"])
    found = {name: column.copy() for name, column in today.items()}
    changed = rng.choice(n, max(4, round(n * CHANGED)), replace=False)
    renamed, moved, closing, other = np.array_split(changed, 4)
    found["EstablishmentName"][renamed] = joined(found["EstablishmentName"][renamed], " and Nursery")
    academies = moved[found["Trusts (code)"][moved] != ""]
    source = rng.permutation(np.flatnonzero(found["TrustSchoolFlag (code)"] == "3"))[: len(academies)]
    for name in ("TrustSchoolFlag (code)", "TrustSchoolFlag (name)", "Trusts (code)", "Trusts (name)"):
        found[name][academies] = today[name][source]
    pupils = found["NumberOfPupils"]
    pupils[moved] = texts(int(each) + 1 if each else "" for each in pupils[moved].tolist())
    closing = closing[found["EstablishmentStatus (code)"][closing] == "1"]
    found["EstablishmentStatus (code)"][closing] = "2"
    found["EstablishmentStatus (name)"][closing] = "Closed"
    found["CloseDate"][closing] = "02-03-2026"
    found["HeadLastName"][other] = "Newman"
    found["LastChangedDate"][changed] = "03-03-2026"
    kept = np.delete(np.arange(n), rng.choice(n, min(REMOVED, n // 50), replace=False))
    new = rng.choice(n, size.of(ADDED))
    found = {name: np.concatenate((column[kept], today[name][new])) for name, column in found.items()}
    found["URN"][len(kept) :] = texts((int(today["URN"][-1]) + 1 + np.arange(len(new))).tolist())
    return found


def rows(found: Mapping[str, Texts]) -> Iterator[str]:
    """The lines of the file: every cell in quotation marks but URNs and the grid's numbers."""
    names = columns()
    yield '"' + '","'.join(names) + '"'
    east = names.index("Easting")
    for row in zip(*(found[name].tolist() for name in names), strict=True):
        first, middle, last = row[0], '","'.join(row[1:east]), '","'.join(row[east + 2 :])
        yield f'{first},"{middle}",{row[east]},{row[east + 1]},"{last}"'


def members(land: Country) -> Ints:
    """The places of the schools that are in trusts."""
    return np.flatnonzero(land.trusts >= 0)
