"""Performance tables, absence and the census of an invented country."""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bench.england.country import NOT_PUBLISHED, Country
from bench.england.results import Year, year_of
from bench.england.words import Floats, Ints, Texts, drawn, lines, percent, table, texts

LAYOUT = 2018
"""The academic year of the layouts; a later year's table repeats its own years before."""
KS2_SPECIAL, KS4_SPECIAL, KS4_INDEPENDENT = 700, 900, 445
KS2_MAINSTREAM = 15_300
SUPPRESSED_UP_TO = 5
MAINSTREAM, SPECIAL = "1", "2"
WITHHELD = 0.12
"""The share of cells about groups of pupils that are suppressed."""
WORDS = re.compile(r"[A-Z_]*(DESCR|BANDING)[A-Z_0-9]*")


def ks2(land: Country, year: int) -> Iterator[str]:
    """The lines of the key stage 2 table: schools, then England."""
    places, special = primaries(land)
    found = year_of(land, places, year, years_taught=7, middle=65, spread=11)
    small = found.cohorts <= SUPPRESSED_UP_TO
    higher = 100 * np.floor(found.share / 100 * found.cohorts * 0.2) / found.cohorts
    own = {
        "TELIG": texts(found.cohorts.tolist()),
        "PTRWM_EXP": hidden(percent(found.share), small),
        "PTRWM_HIGH": hidden(percent(higher), small),
        "READ_AVERAGE": hidden(whole(found.points(105, 2)), small),
        "MAT_AVERAGE": hidden(whole(found.points(104, 2)), small),
        "READPROG": hidden(tenths(found.points(0, 2)), small),
        "WRITPROG": hidden(tenths(found.points(0, 1.9)), small),
        "MATPROG": hidden(tenths(found.points(0, 2.1)), small),
    }
    yield from performance(land, "ks2_columns.txt", year, places, special, own, ("3", "4", "5"))


def ks4(land: Country, year: int) -> Iterator[str]:
    """The lines of the key stage 4 table: schools, independent ones among them, then England."""
    places, special, private = secondaries(land)
    found = year_of(land, places, year, years_taught=6, middle=44, spread=12)
    small = found.cohorts <= SUPPRESSED_UP_TO
    standard = np.minimum(found.share + 20, 98)
    progress = texts(f"{each:.2f}" for each in found.points(0, 0.4).tolist())
    progress[private] = "NP"
    own = {
        "TPUP": texts(found.cohorts.tolist()),
        "P8PUP": texts(np.rint(found.cohorts * 0.95).astype(int).tolist()),
        "ATT8SCR": hidden(tenths(found.points(46, 7)), small),
        "P8MEA": hidden(progress, small),
        "PTL2BASICS_95": hidden(percent(found.share), small),
        "PTL2BASICS_94": hidden(percent(standard), small),
        "EBACCAPS": hidden(texts(f"{each:.2f}" for each in found.points(4, 0.7).tolist()), small),
    }
    yield from performance(land, "ks4_columns.txt", year, places, special, own, ("4", "5", "7"))


def primaries(land: Country) -> tuple[Ints, np.ndarray]:
    """The places of the schools in a key stage 2 table, and which of them are special."""
    mainstream = land.open_in("Primary", "All-through")[: land.size.of(KS2_MAINSTREAM)]
    special = land.special()[: land.size.of(KS2_SPECIAL)]
    return np.concatenate((mainstream, special)), np.arange(len(mainstream) + len(special)) >= len(mainstream)


def secondaries(land: Country) -> tuple[Ints, np.ndarray, np.ndarray]:
    """The places of the schools in a key stage 4 table; which are special, and which independent."""
    parts = (
        land.open_in("Secondary", "All-through", "Middle deemed secondary"),
        land.special()[: land.size.of(KS4_SPECIAL)],
        land.independent()[: land.size.of(KS4_INDEPENDENT)],
    )
    which = np.repeat(np.arange(3), [len(part) for part in parts])
    return np.concatenate(parts), which == 1, which == 2


def performance(
    land: Country,
    layout: str,
    year: int,
    places: Ints,
    special: np.ndarray,
    own: dict[str, Texts],
    aggregates: Sequence[str],
) -> Iterator[str]:
    """The lines of a performance table; every row is of full width, since `\\copy` refuses shorter ones."""
    rng, n, names = land.size.generator(500 + year + len(layout)), len(places), lines(layout)
    yield "\ufeff" + ",".join(renamed(name, year) for name in names)
    known = identity(land, places, special) | own
    cells = [known[name] if name in known else filler(rng, name, n) for name in names]
    yield from map(",".join, zip(*(column.tolist() for column in cells), strict=True))
    for kind in aggregates:
        yield ",".join(kind if name == "RECTYPE" else " " for name in names)


def renamed(name: str, year: int) -> str:
    """A column that repeats an earlier year, as the table of `year` calls it: `_18` is 2017/18 in that of 2018/19."""
    found = re.fullmatch(r"(.*_)(1[678])", name)
    return f"{found[1]}{int(found[2]) + year - LAYOUT:02d}" if found else name


def identity(land: Country, places: Ints, special: np.ndarray) -> dict[str, Texts]:
    """Who the school of a row is."""
    where = [table("authorities.csv")[each] for each in land.authorities[places].tolist()]
    return {
        "RECTYPE": texts(np.where(special, SPECIAL, MAINSTREAM).tolist()),
        "LEA": texts(each["la"] for each in where),
        "ESTAB": texts((1000 + places % 6000).tolist()),
        "URN": texts(land.urns[places].tolist()),
        "SCHNAME": texts(f"School {urn}" for urn in land.urns[places].tolist()),
        "TOWN": texts(each["la_name"].replace(",", "") for each in where),
        "PCON_NAME": texts(each["la_name"].replace(",", " and") for each in where),
        "URN_AC": texts(["0"] * len(places)),
        "AGERANGE": texts(["4-11"] * len(places)),
        "RELDENOM": texts(["Does not apply"] * len(places)),
    }


def filler(rng: np.random.Generator, name: str, n: int) -> Texts:
    """Cells of a column that no feed reads, of the look that its name promises."""
    pools: tuple[tuple[Callable[[str], bool], list[str]], ...] = (
        (lambda each: WORDS.fullmatch(each) is not None, [str(at) for at in range(1, 6)]),
        (lambda each: "PROG" in each or "P8" in each or "VA" in each, [f"{at / 10:g}" for at in range(-39, 40)]),
        (lambda each: "AVERAGE" in each, [str(at) for at in range(96, 113)]),
        (lambda each: "ATT8" in each or "APS" in each, [f"{at / 10:g}" for at in range(20, 700)]),
        (lambda each: each.startswith("P"), [f"{at}%" for at in range(101)]),
        (lambda each: True, [str(at) for at in range(120)]),
    )
    pool = next(pool for fits, pool in pools if fits(name))
    found = drawn(rng, pool, n)
    found[rng.random(n) < WITHHELD] = "SUPP"
    return found


def hidden(cells: Texts, small: np.ndarray) -> Texts:
    """The cells, suppressed where the cohort is small."""
    cells[small] = "SUPP"
    return cells


def whole(values: Floats) -> Texts:
    """Values as whole numbers."""
    return percent(values, "")


def tenths(values: Floats) -> Texts:
    """Values to a tenth."""
    return texts(f"{value:.1f}" for value in values.tolist())


def on_roll(land: Country) -> Ints:
    """The places of the schools that send a census: all of the state's, and special ones; in the order of URNs."""
    phases = ("Primary", "Secondary", "All-through", "Middle deemed secondary", "Nursery")
    return np.unique(np.concatenate((land.open_in(*phases), land.special())))


def absence(land: Country, year: int) -> Iterator[str]:
    """The lines of the absence table: overall and persistent absence in percent, England at the end."""
    places = on_roll(land)
    found: Year = year_of(land, places, year, years_taught=1, middle=50, spread=8)
    overall = np.clip(6.5 - 1.1 * found.standings, 1, 40)
    persistent = np.clip(18 - 5 * found.standings, 1, 90)
    yield "\ufeffLA,ESTAB,URN,PERCTOT,PPERSABS10"
    codes = [each["la"] for each in table("authorities.csv")]
    columns = (places, land.authorities[places], land.urns[places], overall, persistent)
    for at, where, urn, every, often in zip(*(column.tolist() for column in columns), strict=True):
        yield f"{codes[where]},{1000 + at % 6000},{urn},{every:.1f},{often:.1f}"
    for kind in ("PRI,,5.9,16.2", "SEC,,9,26.5", "SPE,,13,38.3"):
        yield f"NAT,{kind}"


CENSUS = (
    "URN,LA,Estab,SCHOOLTYPE,NOR,NORG,NORB,PNORG,PNORB,TSENELSE,PSENELSE,TSENELK,PSENELK,NUMEAL,NUMENGFL,NUMUNCFL,"
    "PNUMEAL,PNUMENGFL,PNUMUNCFL,NUMFSM,NUMFSMEVER,NORFSMEVER,PNUMFSMEVER"
)


def census(land: Country, year: int) -> Iterator[str]:
    """The lines of the school census: who is taught, England at the end."""
    places = np.unique(np.concatenate((on_roll(land), land.independent())))
    rng = land.size.generator(900 + year)
    n = len(places)
    yield "\ufeff" + CENSUS
    codes = [each["la"] for each in table("authorities.csv")]
    kinds = [kind.replace(",", "") for kind in land.said("kind")]
    shares = [
        np.clip(share[places] + rng.normal(0, by, n), 0, 100)
        for share, by in ((land.plan, 0.2), (land.support, 0.6), (land.language, 0.6), (land.meals, 0.6))
    ]
    pupils = np.maximum(5, land.pupils[places] + rng.integers(-6, 7, n))
    columns = (places, land.authorities[places], land.urns[places], pupils, *shares)
    for at, where, urn, n_pupils, plan, support, language, meals in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        girls, english = n_pupils // 2, 99.5 - language
        yield (
            f"{urn},{codes[where]},{1000 + at % 6000},{kinds[at]},{n_pupils},{girls},{n_pupils - girls},50.0%,50.0%,"
            f"{n_pupils * plan / 100:.0f},{plan:.1f}%,{n_pupils * support / 100:.0f},{support:.1f}%,"
            f"{n_pupils * language / 100:.0f},{n_pupils * english / 100:.0f},1,{language:.1f}%,{english:.1f}%,0.5%,"
            f"{n_pupils * meals / 100:.0f},{n_pupils * meals / 100:.0f},{n_pupils},{meals:.1f}%"
        )
    yield f"NAT,,SEC,State-funded secondary,3630171,1802999,1827130,49.7%,50.3%,87219,2.4%{',' * 12}"


def published(years: Sequence[int]) -> tuple[int, ...]:
    """Those of the years that have performance tables."""
    return tuple(year for year in years if year not in NOT_PUBLISHED)
