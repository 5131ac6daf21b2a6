"""A statement retells the ledger."""

from datetime import date, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.ledger import Account
from services.contracts.rules.statement import Entry, accounts, movements

steps = st.lists(
    st.tuples(st.sampled_from(Account), st.sampled_from(Account), st.integers(1, 10**6), st.integers(0, 400)),
    max_size=30,
)


@given(steps, st.integers(0, 400), st.integers(0, 400))
def test_opening_and_every_movement_make_the_closing(
    moves: list[tuple[Account, Account, int, int]], first: int, length: int
) -> None:
    begin, entries = date(2023, 9, 1), []
    for source, target, amount, after in moves:
        journal, on = uuid4(), begin + timedelta(days=after)
        for account, pence in ((source, -amount), (target, amount)):
            entries.append(Entry(journal, on, "fee", "FEE-1", account, pence, "why", None))
    since, last = begin + timedelta(days=first), begin + timedelta(days=first + length)
    found = accounts(entries, since, last)
    assert sum(line.closing_pence for line in found.values()) == 0
    told = [each for each in movements(entries) if since <= each.occurred_on <= last]
    for account, line in found.items():
        came = sum(each.amount_pence for each in told if each.target is account)
        left = sum(each.amount_pence for each in told if each.source is account)
        assert line.moved_pence == came - left
        assert line.opening_pence + line.moved_pence == line.closing_pence
    assert all(each.opening_pence == 0 for each in accounts(entries, None, last).values())
