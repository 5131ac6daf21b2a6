"""Writing the files of an invented country, once: they are kept until the country is made otherwise."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.england import groups, register, tables
from bench.england.country import FIRST_YEAR, NATIONAL, NOT_PUBLISHED, YEARS, Country, Size, country

SOURCES = sorted([*Path(__file__).parent.glob("*.py"), *Path(__file__).parents[1].glob("data/*")])


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files of a country are."""

    folder: Path

    @property
    def establishments(self) -> Path:
        """GIAS, all establishments."""
        return self.folder / "edubasealldata20260302.csv"

    @property
    def next_day(self) -> Path:
        """GIAS, all establishments, a day later."""
        return self.folder / "edubasealldata20260303.csv"

    @property
    def groups(self) -> Path:
        """GIAS, all groups."""
        return self.folder / "allgroupsdata20260302.csv"

    @property
    def group_links(self) -> Path:
        """GIAS, all group links."""
        return self.folder / "alllinksdata20260302.csv"

    @property
    def links(self) -> Path:
        """GIAS, links between establishments."""
        return self.folder / "links_edubasealldata20260302.csv"

    def ks2(self, year: int) -> Path:
        """The key stage 2 table of an academic year."""
        return self.table("ks2final", year)

    def ks4(self, year: int) -> Path:
        """The key stage 4 table of an academic year."""
        return self.table("ks4final", year)

    def absence(self, year: int) -> Path:
        """The absence table of an academic year."""
        return self.table("abs", year)

    def census(self, year: int) -> Path:
        """The census of an academic year."""
        return self.table("census", year)

    def table(self, name: str, year: int) -> Path:
        """A yearly table."""
        return self.folder / f"{year}-{year + 1}_england_{name}.csv"


def write(folder: Path, size: Size = NATIONAL) -> Files:
    """Write the files of a country of this size below the folder, unless they are there; about 200 MB for England."""
    files = Files(folder / f"england-{size.scale:g}-{size.seed}-{version()}")
    if (files.folder / "complete").exists():
        return files
    files.folder.mkdir(parents=True, exist_ok=True)
    land = country(size)
    today = register.register(land)
    save(files.establishments, register.rows(today), "cp1252")
    save(files.next_day, register.rows(register.next_day(size, today)), "cp1252")
    save(files.groups, groups.groups(land), "cp1252")
    save(files.group_links, groups.group_links(land), "cp1252")
    save(files.links, groups.links(land), "cp1252")
    yearly(land, files)
    (files.folder / "complete").touch()
    return files


def yearly(land: Country, files: Files) -> None:
    """Write what is published every year, of six years; performance tables were not in two of them."""
    kinds: tuple[tuple[Callable[[Country, int], Iterator[str]], Callable[[int], Path], bool], ...] = (
        (tables.ks2, files.ks2, True),
        (tables.ks4, files.ks4, True),
        (tables.absence, files.absence, False),
        (tables.census, files.census, False),
    )
    for year in range(FIRST_YEAR, FIRST_YEAR + YEARS):
        for rows, path, tested in kinds:
            if not (tested and year in NOT_PUBLISHED):
                save(path(year), rows(land, year), "utf-8")


def save(path: Path, rows: Iterable[str], encoding: str) -> None:
    """Write lines as DfE does, with carriage returns."""
    with path.open("w", encoding=encoding, newline="") as file:
        file.writelines(f"{row}\r\n" for row in rows)


def version() -> str:
    """A digest of what the files are made by."""
    digest = hashlib.sha256()
    for path in SOURCES:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
