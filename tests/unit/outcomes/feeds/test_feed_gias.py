"""The register's feeds, on the sample files and on rows made to be wrong."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import date

import pytest

from services.outcomes.feeds import gias_establishments, gias_group_links, gias_groups, gias_links
from services.outcomes.feeds.records import FeedRefused

Sample = Callable[[str], bytes]
GROUP = {"group_uid": "17", "group_name": "A trust", "group_type__code_": "06", "group_type": "Multi-academy trust"}
SCHOOL = {
    "URN": "100000",
    "EstablishmentName": "A school",
    "LAId": "1",
    "LAName": "Somewhere",
    "RegionName": "South East",
    "PhaseOfEducationName": "Secondary",
    "TypeOfEstablishmentName": "Academy converter",
    "EstablishmentTypeGroupName": "Academies",
    "TrustId": "17",
    "TrustSchoolFlagId": "3",
}


def as_bytes(*rows: dict[str, str]) -> bytes:
    return json.dumps(rows).encode()


def test_groups_of_the_sample(sample: Sample) -> None:
    parsed = gias_groups.parse(sample("gias_groups.json.gz"), None)
    assert (parsed.rows, parsed.ignored, len(parsed.records), parsed.rejections) == (1223, 473, 750, ())
    assert Counter(each.kind for each in parsed.records) == {"multi_academy_trust": 537, "single_academy_trust": 213}
    assert Counter(each.status for each in parsed.records) == {"open": 675, "closed": 75}
    found = {each.uid: each for each in parsed.records}
    assert (found["2046"].name, found["2046"].group_id) == ("ABBEY MULTI ACADEMY TRUST", "TR00002")
    assert (found["2046"].companies_house_number, found["2046"].ukprn) == ("07705552", "10059141")
    assert (found["2046"].opened_on, found["2046"].closed_on) == (date(2011, 7, 14), None)
    assert (found["2055"].status, found["2055"].closed_on) == ("closed", date(2024, 8, 6))


def test_trusts_open_on_the_day_of_incorporation(sample: Sample) -> None:
    parsed = gias_groups.parse(sample("gias_groups.json.gz"), None)
    assert all(each.opened_on for each in parsed.records)


def test_company_numbers_get_their_zeros_back() -> None:
    row = {**GROUP, "group_status": "Open", "companies_house_number": "7525820.0"}
    assert gias_groups.parse(as_bytes(row), None).records[0].companies_house_number == "07525820"


def test_groups_that_cannot_be_used_are_rejected() -> None:
    good = {**GROUP, "group_status": "Open"}
    parsed = gias_groups.parse(
        as_bytes(good, good, {**good, "group_uid": "TR1"}, {**good, "group_uid": "18", "group_name": ""}), None
    )
    assert [(each.row, each.code) for each in parsed.rejections] == [
        (2, "duplicate"),
        (3, "bad_uid"),
        (4, "missing_value"),
    ]


def test_group_links_of_the_sample(sample: Sample) -> None:
    parsed = gias_group_links.parse(sample("gias_group_links.csv.gz"), None)
    assert (parsed.rows, parsed.ignored, len(parsed.records), parsed.rejections) == (2401, 1082, 1319, ())
    assert Counter((each.closed, each.closed_on is None) for each in parsed.records) == {
        (False, True): 1303,
        (True, False): 16,
    }
    found = {each.urn: each for each in parsed.records}
    assert (found[129342].trust_uid, found[129342].joined_on) == ("16243", date(2019, 4, 1))
    assert (found[128340].closed, found[128340].closed_on) == (True, date(2015, 9, 3))
    assert (found[130247].trust_uid, found[130247].joined_on) == ("5315", date(2018, 2, 1))
    assert all(each.joined_on is None or each.joined_on > date(1900, 1, 1) for each in parsed.records)


def test_links_of_the_sample(sample: Sample) -> None:
    parsed = gias_links.parse(sample("gias_links.json.gz"), None)
    assert (parsed.rows, parsed.ignored, len(parsed.records), parsed.rejections) == (1399, 0, 1399, ())
    kinds = Counter(each.kind for each in parsed.records)
    assert (kinds["Predecessor"], kinds["Successor"], kinds["Predecessor - merged"]) == (1289, 65, 10)
    found = {(each.urn, each.linked_urn): each for each in parsed.records}
    assert found[100285, 150604].established_on == date(2024, 8, 31)
    assert found[100059, 132838].established_on is None


def test_links_with_a_bad_side_are_rejected_and_rows_of_commas_ignored() -> None:
    header = b"URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n"
    rows = b"100000,,X,Successor,\n100000,100001,X,,\n100000,100002,X,Successor,2019\n,,,,\n100000,100003,X,Other,\n"
    parsed = gias_links.parse(header + rows, None)
    assert [each.code for each in parsed.rejections] == ["bad_urn", "missing_value", "bad_date"]
    assert (parsed.ignored, [each.linked_urn for each in parsed.records]) == (1, [100003])


def test_establishments_of_the_sample(sample: Sample) -> None:
    parsed = gias_establishments.parse(sample("gias_establishments.json.gz"), None)
    assert (parsed.rows, parsed.ignored, len(parsed.records), parsed.rejections) == (1608, 0, 1608, ())
    regions = Counter(each.region for each in parsed.records)
    assert len(regions) == 9
    assert (regions["South East"], regions["Yorkshire and the Humber"]) == (176, 204)
    found = {each.urn: each for each in parsed.records}
    harris = found[135816]
    assert (harris.name, harris.la_code, harris.la_name) == ("Harris Boys' Academy East Dulwich", "210", "Southwark")
    assert (harris.phase, harris.kind_code, harris.kind_group) == ("Secondary", "28", "Academies")
    assert (harris.trust_uid, harris.pupils, harris.establishment_number) == ("3320", 907, "6913")
    assert found[104962].trust_uid is None
    assert (harris.easting, harris.northing) == (534515, 174895)
    assert all(each.easting and each.northing for each in parsed.records)


@pytest.mark.parametrize(
    ("easting", "northing", "place"),
    [
        ("352690", "432551", (352690, 432551)),
        ("352690.0", "432551.0", (352690, 432551)),
        ("", "432551", (None, None)),
        ("352690", "", (None, None)),
        ("0", "0", (None, None)),
        ("0", "432551", (None, None)),
        ("-1", "432551", (None, None)),
        ("north", "432551", (None, None)),
        ("35269000", "432551", (None, None)),
    ],
)
def test_a_place_that_is_not_known_is_never_zero(
    easting: str, northing: str, place: tuple[int | None, int | None]
) -> None:
    read = gias_establishments.parse(as_bytes({**SCHOOL, "Easting": easting, "Northing": northing}), None).records[0]
    assert (read.easting, read.northing) == place


def test_places_are_read_from_both_layouts_and_missed_by_neither() -> None:
    row = {**SCHOOL, "Easting": "352690", "Northing": "432551"}
    names, cells = ",".join(row), ",".join(row.values())
    for content in (as_bytes(row), f"{names}\n{cells}\n".encode("cp1252")):
        assert gias_establishments.parse(content, None).records[0].easting == 352690
    assert gias_establishments.parse(as_bytes(SCHOOL), None).records[0].easting is None


def test_a_foundation_trust_is_no_academy_trust(sample: Sample) -> None:
    parsed = gias_establishments.parse(sample("gias_establishments.json.gz"), None)
    assert {each.urn: each.trust_uid for each in parsed.records}[103080] is None
    assert sum(each.trust_uid is not None for each in parsed.records) == 1133 + 153


def test_no_name_of_a_person_is_read_or_lies_in_the_sample(sample: Sample) -> None:
    persons = ("head", "telnum", "telephone")
    row = {**SCHOOL, "HeadTitle": "Mr", "HeadFirstName": "Xavier", "HeadLastName": "Quux"}
    assert "Quux" not in str(gias_establishments.parse(as_bytes(row), None).records[0])
    for name in ("gias_establishments.json.gz", "gias_groups.json.gz", "gias_links.json.gz"):
        columns = {column.lower() for each in json.loads(gzip.decompress(sample(name))) for column in each}
        assert not [each for each in columns if each.startswith(persons)]
    for name in ("gias_group_links.csv.gz", "ks2_2018-19.csv.gz", "ks4_2018-19.csv.gz", "census_2022-23.csv.gz"):
        columns = set(gzip.decompress(sample(name)).decode().splitlines()[0].lower().split(","))
        assert not [each for each in columns if each.startswith(persons)]


def test_establishments_that_cannot_be_used_are_rejected() -> None:
    rows = (SCHOOL, SCHOOL, {**SCHOOL, "URN": "1"}, {**SCHOOL, "URN": "100001", "LAName": ""})
    parsed = gias_establishments.parse(as_bytes(*rows), None)
    assert [each.code for each in parsed.rejections] == ["duplicate", "bad_urn", "missing_value"]
    assert parsed.records[0].la_code == "001"


def test_an_extract_does_not_say_which_trust_a_school_is_in() -> None:
    columns = {
        "URN": "100000",
        "LA (code)": "201",
        "LA (name)": "City of London",
        "EstablishmentName": "A school",
        "GOR (name)": "London",
        "PhaseOfEducation (name)": "Primary",
        "TypeOfEstablishment (name)": "Academy converter",
        "EstablishmentTypeGroup (name)": "Academies",
        "EstablishmentStatus (name)": "Open, but proposed to close",
        "OpenDate": "01-09-2012",
        "CloseDate": "",
        "Trusts (name)": "A TRUST",
        "TrustSchoolFlag (name)": "Supported by a multi-academy trust",
        "Linked establishments": "115995 Predecessor",
    }
    content = f"{','.join(columns)}\n" + ",".join(f'"{each}"' for each in columns.values()) + ',"115996 Predecessor"\n'
    parsed = gias_establishments.parse(content.encode(), None)
    assert parsed.layout == "extract"
    (record,) = parsed.records
    assert (record.trust_uid, record.kind_code) == (None, "00")
    assert {"trust_uid", "kind_code", "establishment_number", "ukprn", "easting", "northing"} < record.unsaid
    assert not record.unsaid & {"name", "la_code", "status", "opened_on", "closed_on"}
    assert (record.status, record.opened_on) == ("open_proposed_to_close", date(2012, 9, 1))


def test_a_file_is_told_what_it_lacks_of_the_layout_that_it_is_nearest_to() -> None:
    names = ["URN", "LA (code)", "LA (name)", "EstablishmentName", "GOR (name)", "PhaseOfEducation (name)"]
    names += ["TypeOfEstablishment (name)", "EstablishmentTypeGroup (name)", "Trusts (name)", "TrustSchoolFlag (name)"]
    with pytest.raises(FeedRefused) as caught:
        gias_establishments.parse((",".join(names) + "\n100000\n").encode(), None)
    assert caught.value.missing == ("establishmentstatus_name", "opendate", "closedate")
