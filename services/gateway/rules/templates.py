"""The task lists in force, each with its version: people's steps, the day itself, and what comes after it."""

from services.gateway.rules.conversion import CONVERSION
from services.gateway.rules.steps import HAND_OVER, THE_DAY, Section, Step
from services.gateway.rules.transfer import Route
from services.gateway.rules.trust_to_trust import TRUST_TO_TRUST

TEMPLATE_VERSION = "2"
"""A transfer keeps the version that it began with until somebody moves it to a newer one."""


def in_order(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """A whole list: what comes before the day in the order of DfE's list, the day, and what comes after it."""
    before = tuple(step for step in steps if step.section is not Section.AFTER)
    after = tuple(step for step in steps if step.section is Section.AFTER)
    return before + THE_DAY + (HAND_OVER, *after)


TEMPLATES: dict[Route, tuple[Step, ...]] = {
    Route.CONVERSION: in_order(CONVERSION),
    Route.TRUST_TO_TRUST: in_order(TRUST_TO_TRUST),
}
