"""Whether the pages of a list are all of it, each item once: nothing that is missing may go unnoticed."""

from typing import Any

from services.outcomes.remote.errors import FetchFailed
from services.outcomes.statistics.models import Page

MOST_PAGES = 10_000


class Incomplete(FetchFailed):
    """The pages that came are not the whole list; nothing of it is used."""

    code = "fetch_incomplete"


class Pages:
    """Counts the pages of a list as they come."""

    def __init__(self, path: str) -> None:
        self.path, self.came, self.total = path, 0, 0
        self.seen: set[int] = set()

    def add(self, page: Page[Any], number: int) -> bool:
        """Count the next page; whether it is the last one. Raises Incomplete.

        A list that changes between two pages moves what it holds across them: some comes twice, and some never.
        """
        told = page.paging
        if told.page != number:
            raise self.incomplete(f"page {told.page} came where page {number} was asked for")
        if number > 1 and told.total_results != self.total:
            raise self.incomplete(f"{self.total} results were {told.total_results} on page {number}")
        self.total, self.came = told.total_results, self.came + len(page.results)
        is_last = number >= told.total_pages
        if not is_last and not page.results:
            raise self.incomplete(f"page {number} of {told.total_pages} is empty")
        if not is_last and number == MOST_PAGES:
            raise self.incomplete(f"only {MOST_PAGES} of {told.total_pages} pages are read")
        keys = {hash(each.model_dump_json()) for each in page.results}
        if self.seen & keys:
            raise self.incomplete(f"page {number} repeats what was on a page before")
        self.seen |= keys
        if is_last and self.came != self.total:
            raise self.incomplete(f"{self.came} of {self.total} results came")
        return is_last

    def incomplete(self, what: str) -> Incomplete:
        """The error that names the list and what is wrong with it."""
        return Incomplete(f"The statistics API did not give all of {self.path}: {what}. Ask again later.")
