"""What the task lists of both routes share: steps that are the same, and the two kinds that most steps are of."""

from typing import Any

from services.gateway.rules.steps import Actor, Section, Step


def contact(key: str, who: str) -> Step:
    """Somebody whom the delivery officer confirms."""
    return Step(key, f"{who} confirmed", Section.KICK_OFF, Actor.DELIVERY_OFFICER)


def agreement(key: str, name: str, actor: Actor, **more: Any) -> Step:
    """A legal document that the step is named after."""
    return Step(key, name, Section.LEGAL, actor, name, **more)


HANDOVER_WITH_DELIVERY_OFFICER = Step(
    "handover_with_delivery_officer",
    "Handover with the regional delivery officer",
    Section.KICK_OFF,
    Actor.DELIVERY_OFFICER,
    "Handover notes",
    optional=True,
)
HEADTEACHER_CONTACT = contact("headteacher_contact", "Headteacher")
INCOMING_CHIEF_EXECUTIVE_CONTACT = contact("incoming_chief_executive_contact", "Incoming trust's chief executive")
MAIN_CONTACT = contact("main_contact", "Main contact")
ARTICLES_OF_ASSOCIATION = agreement(
    "articles_of_association", "Articles of association", Actor.INCOMING_TRUST, optional=True
)
