"""What England needs of the machines, and what a hundred times that needs: arithmetic on var/bench.json."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHOOLS, TRUSTS, CONTRACTS = 22_000, 2_500, 5_000
RECORDS_A_CONTRACT = 12
"""Milestones recorded in a year."""
SUBSCRIBERS = 4
"""Who is told of each record: the commissioner, the trust, the responsible body, DfE."""
DAY, WORKING_DAY = 86_400, 8 * 3_600
GROWN = 100
Rows = Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Need:
    """Work to be done, how much of it in a second, and how many seconds one unit takes by what was measured."""

    work: str
    reckoned: str
    a_second: float
    seconds: Callable[[Rows], float]
    rows: tuple[int, ...]

    def share(self, rows: Rows) -> float:
        """The share of one machine of the kind measured that this takes."""
        return self.a_second * self.seconds(rows)


NEEDS = (
    Need(
        "reading",
        f"{SCHOOLS:,} schools and {TRUSTS:,} trusts, each polled every minute",
        (SCHOOLS + TRUSTS) / 60,
        lambda rows: rows[3]["detail"]["read, many callers, us"] / 1e6,
        (3,),
    ),
    Need(
        "recording",
        f"a year's {RECORDS_A_CONTRACT} milestones of all {SCHOOLS:,} schools, under contract, on one working day",
        SCHOOLS * RECORDS_A_CONTRACT / WORKING_DAY,
        lambda rows: rows[1]["ours"] / 1e6,
        (1,),
    ),
    Need(
        "applying",
        "the same records, to their contracts",
        SCHOOLS * RECORDS_A_CONTRACT / WORKING_DAY,
        lambda rows: rows[71]["ours"] / 1e6,
        (71,),
    ),
    Need(
        "telling",
        f"{SUBSCRIBERS} subscribers of each of them",
        SCHOOLS * RECORDS_A_CONTRACT * SUBSCRIBERS / WORKING_DAY,
        lambda rows: rows[73]["ours"] / 1e6,
        (73,),
    ),
    Need(
        "judging",
        f"every one of {CONTRACTS:,} contracts, once a day",
        1 / DAY,
        lambda rows: rows[61]["ours"],
        (61,),
    ),
    Need(
        "taking in",
        "the register's next day, and both key stages of a year, every day",
        1 / DAY,
        lambda rows: rows[52]["ours"] + rows[53]["ours"] + rows[54]["ours"],
        (52, 53, 54),
    ),
    Need("transferring", "1,000 schools on the first of a month", 1 / DAY, lambda rows: rows[72]["ours"], (72,)),
)


def lines(measured: Path) -> list[str]:
    """The table as lines of Markdown: shares of a machine as England needs them, and machines at a hundred times that.

    Work of which a row was not measured is left out.
    """
    rows: Rows = {each["row"]: each for each in json.loads(measured.read_text())}
    found = [each for each in NEEDS if all(row in rows for row in each.rows)]
    shares = [each.share(rows) for each in found]
    told = [
        f"| {each.work} | {each.reckoned} | {percent(share)} | {machines(share)} |"
        for each, share in zip(found, shares, strict=True)
    ]
    total = f"| **together** | | {percent(sum(shares))} | {machines(sum(shares))} |"
    return [
        f"| Work | What England needs | Share of one machine | Machines at {GROWN} times that |",
        "|---" * 4 + "|",
        *told,
        total,
    ]


def percent(share: float) -> str:
    """A share, to two figures."""
    return f"{100 * share:.2g}%" if share < 1 else f"{100 * share:.0f}%"


def machines(share: float) -> str:
    """How many machines a hundred times the share takes."""
    return f"{math.ceil(GROWN * share)}" if GROWN * share > 1 else "1"
