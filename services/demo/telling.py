"""How the demonstration looks on a terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

VIEWS = {"dfe": "as DfE counts", "platform": "all full members", "contracts": "under contract, kept apart"}


def opening(console: Console) -> None:
    """What is about to be shown, and what of it is real."""
    console.print(
        "\n[bold]Ringfence[/bold]: a school under contract, from the first draft to full membership.\n"
        "Schools, trusts and results are DfE's. [bold]The contract and everybody's decisions are invented[/bold]; "
        "the clock is moved.\nContains public sector information licensed under the Open Government Licence v3.0.",
        highlight=False,
    )


def closing(console: Console, seconds: float) -> None:
    """The end."""
    console.print(
        f"\nDone in {seconds:.0f} seconds. To look around yourself: make run, then open /docs.", highlight=False
    )


def heading(console: Console, title: str) -> None:
    """A chapter begins."""
    console.print()
    console.rule(f"[bold]{title}", align="left", characters="─")


def line(console: Console, who: str, words: str) -> None:
    """Who did what."""
    console.print(f"[cyan]{who}[/cyan]\n    {words}", highlight=False)


def command(arguments: tuple[str, ...]) -> str:
    """A command line as a person would type it."""
    return " ".join(f'"{part}"' if " " in part else part for part in arguments)


def pounds(pence: int) -> str:
    """Money for people."""
    return f"£{pence / 100:,.2f}"


def days(fence: dict[str, Any]) -> str:
    """The days of a ring-fence."""
    return f"{fence['starts_on']} to {fence['ends_on']}"


def rejection(row: dict[str, Any]) -> str:
    """A rejected row with its reason."""
    return f"row {row['row']} ({row['key']}): {row['code']}, {row['detail']}"


def promise(outcome: dict[str, Any]) -> str:
    """An agreed outcome with its baseline."""
    baseline, target = outcome["baseline"], outcome["target"]
    years = " and ".join(baseline["years"])
    numbers = ", ".join(str(each["number"]) for each in baseline["releases"])
    return (
        f"{outcome['code']} {outcome['measure']}: from {baseline['value']:.2f}% ({years}, {baseline['n']} pupil-years, "
        f"release {numbers}) to {target['value']:.1f}% or less"
    )


def releases(console: Console, rows: list[dict[str, Any]]) -> None:
    """What became of the files."""
    table = Table("no.", "file", "published", "rows", "accepted", "ignored", "rejected", "status")
    for row in rows:
        counts = [f"{row[name]:,}" for name in ("rows_read", "rows_accepted", "rows_ignored", "rows_rejected")]
        table.add_row(str(row["number"]), row["filename"], row["published_on"], *counts, row["status"])
    console.print(table)


def payments(console: Console, rows: list[dict[str, Any]]) -> None:
    """A contract's payments."""
    table = Table("part", "code", "amount", "status", "earned on", "due on")
    for row in rows:
        days = [row["earned_on"] or "", row["due_on"] or ""]
        table.add_row(row["kind"], row["code"], pounds(row["amount_pence"]), row["status"], *days)
    console.print(table)


def duties(console: Console, rows: list[dict[str, Any]]) -> None:
    """What is due by when, and by which rule."""
    table = Table("due on", "what", "state", "rule", title="Duties, the first of them")
    for row in rows:
        table.add_row(row["due_on"], row["title"], row["state"], f"{row['rule']} ({row['basis']})")
    console.print(table)


def tables(console: Console, answer: dict[str, Any]) -> None:
    """A trust's three views side by side."""
    title = f"{answer['trust']['name']}, absence {answer['academic_year']}"
    table = Table("view", "schools", "pupils", "overall absence", "persistent absence", title=title)
    for view, words in VIEWS.items():
        found = answer["views"][view]
        pooled = {each["measure"]: each for each in found["measures"]}
        figures = [figure(pooled[code]) for code in ("ABS_OVERALL", "ABS_PA")]
        table.add_row(words, str(found["schools"]), f"{pooled['ABS_PA']['n'] or 0:,}", *figures)
    console.print(table)


def figure(pooled: dict[str, Any]) -> str:
    """A pooled value with its interval, or why there is none."""
    if pooled["value"] is None:
        return str(pooled["state"])
    return f"{pooled['value']:.2f}% ({pooled['low']:.2f} to {pooled['high']:.2f})"


def verdict(console: Console, answer: dict[str, Any]) -> None:
    """A verdict with its figures."""
    table = Table("outcome", "before", "target", "after", "similar schools", "difference", "at least", "verdict")
    for each in answer["measures"]:
        effect, schools = each["effect"], each["comparators"]["comparators"]
        before = sum(one["baseline"] for one in schools) / len(schools)
        after = sum(one["outcome"] for one in schools) / len(schools)
        table.add_row(
            each["measure"],
            f"{each['baseline']['value']:.2f}%",
            f"{each['target']:.1f}%",
            f"{each['actual']['value']:.2f}%",
            f"{before:.2f}% to {after:.2f}% ({effect['k']})",
            f"{effect['tau']:+.2f} points",
            f"{effect['lower80']:.2f} better",
            f"{each['status']}: {each['target_result']}, {each['value_result']}",
        )
    console.print(table)
    sources = sorted(
        {
            f"{one['number']} ({one['feed']}, {one['release_status']})"
            for each in answer["measures"]
            for one in each["releases"]
        }
    )
    console.print(
        f"    Overall [bold]{answer['overall']}[/bold], score {answer['score']:.2f}, rating {answer['kpi_rating']!r}. "
        f"Flags: {', '.join(answer['flags'])}.\n    Releases {', '.join(sources)}; method {answer['method_version']}; "
        f"inputs {answer['inputs_hash'][:16]}…",
        highlight=False,
    )
