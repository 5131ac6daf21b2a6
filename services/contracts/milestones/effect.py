"""What records do to the milestones and money of one contract, in memory: nothing is asked for and nothing flushed."""

from datetime import datetime
from typing import Any

from services.contracts.events import Story
from services.contracts.ledger.queries import Held
from services.contracts.ledger.service import Book, Keep
from services.contracts.milestones.schemas import RecordIn
from services.contracts.models import Contract, Milestone, Payment
from services.contracts.payments.effect import stopped
from services.contracts.payments.service import payable, posted
from services.contracts.rules.life import Move, Role, Status, moved
from services.contracts.rules.milestones import Applied, MilestoneStatus, Timing, all_decided, apply_record
from services.kernel.types import london_date


class Desk:
    """A contract that is locked, with its milestones, payments and balances, and the story in which is told of it.

    `keep` is told of each entry in its ledger.
    """

    def __init__(self, row: Contract, held: Held, story: Story, keep: Keep) -> None:
        self.row, self.held, self.story, self.keep = row, held, story, keep
        self.milestones: dict[str, Milestone] = {}
        self.payments: list[Payment] = []

    def apply(self, record: RecordIn, now: datetime) -> dict[str, Any]:
        """Apply a record that has not arrived before, money as of the day of the record; gives the row to be kept."""
        milestone = self.milestones.get(record.milestone_code)
        present = MilestoneStatus(milestone.status) if milestone else None
        result = apply_record(Status(self.row.status), present, record.status)
        if milestone is not None and result is Applied.APPLIED:
            self.decide(milestone, record)
            self.earn(record, now)
            self.complete()
        told = ("record_id", "contract_id", "milestone_code", "status", "occurred_on", "recorded_by")
        return {name: getattr(record, name) for name in told} | {"result": result, "applied_at": now}

    def decide(self, milestone: Milestone, record: RecordIn) -> None:
        """The milestone stands as the record says."""
        milestone.status, milestone.decided_on = record.status, record.occurred_on
        milestone.record_id, milestone.timing = record.record_id, Timing.DECIDED
        facts = {"code": milestone.code, "milestone_status": record.status.value, "record_id": record.record_id}
        self.story.tell(self.row, "milestone.decided", [milestone], **facts)

    def earn(self, record: RecordIn, now: datetime) -> None:
        """What is payable now is earned, unless a suspension stops payments."""
        if stopped(self.row):
            return
        book = Book(self.keep, self.row.id, self.held, london_date(record.recorded_at), now)
        for payment in payable(list(self.milestones.values()), self.payments):
            if facts := posted(book, payment):
                self.story.tell(self.row, "payment.earned", [payment], **facts)

    def complete(self) -> None:
        """A contract that had expired for want of decisions is completed by the last of them."""
        required = [MilestoneStatus(each.status) for each in self.milestones.values() if each.required]
        late = self.row.status == Status.EXPIRED and self.row.reason_code == "milestones_undecided"
        if late and all_decided(required):
            self.row.status, self.row.reason_code = moved(Status.EXPIRED, Move.COMPLETE, Role.CLOCK), "decided_late"
            self.story.tell(self.row, "contract.completed", [self.row], reason=self.row.reason_code)
