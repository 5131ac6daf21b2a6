"""Bodies of duties and notices."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from services.contracts.rules import duties
from services.contracts.rules.performance import Basis
from services.contracts.schemas import Day
from services.kernel.bodies import Answer, Body, Paging


class DutyOut(BaseModel):
    """Something to publish or do by a day, and the rule that makes it due."""

    contract_id: UUID
    reference: str
    code: str = Field(examples=["publish_uk7"])
    subject: str | None = Field(description="About which variation, finding, payment or assessment")
    title: str
    due_on: date
    state: duties.DutyState
    done_on: date | None
    rule: str
    basis: Basis = Field(description="By statute, or because this system keeps to it as policy")


class DutyPage(BaseModel):
    """Duties by due date."""

    data: list[DutyOut]
    paging: Paging


class NoticeIn(Body):
    """A notice that was published, which fulfils a duty."""

    kind: Annotated[duties.Notice, Field(strict=False)]
    subject: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$", description="As the duty names it")] = None
    published_on: Day
    url: Annotated[str | None, Field(max_length=500, pattern=r"^https://\S+$")] = None


class NoticeOut(Answer):
    """A notice that was published."""

    number: int
    kind: duties.Notice
    subject: str | None
    published_on: date
    url: str | None


class NoticePage(BaseModel):
    """The notices about a contract."""

    data: list[NoticeOut]
    paging: Paging
