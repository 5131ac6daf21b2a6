"""A later version of a task list: what becomes of the steps of a transfer that began under an earlier one."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.gateway.rules.steps import Step


@dataclass(frozen=True, slots=True)
class Moved:
    """A stored list brought to a newer template: stored keys by new key, what is new, and what is no longer asked."""

    kept: dict[str, str]
    added: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def renamed(self) -> dict[str, str]:
        """Old keys by new ones, where they differ."""
        return {new: old for new, old in self.kept.items() if new != old}


def moved_to(template: Sequence[Step], stored: Sequence[str]) -> Moved:
    """Which stored steps live on in a template, under which key; answers follow their step."""
    have = set(stored)
    kept: dict[str, str] = {}
    for step in template:
        name = next((key for key in (step.key, *step.formerly) if key in have), None)
        if name is not None:
            kept[step.key] = name
    added = tuple(step.key for step in template if step.key not in kept)
    return Moved(kept, added, tuple(key for key in stored if key not in kept.values()))
