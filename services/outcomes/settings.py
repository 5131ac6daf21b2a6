"""Where the outcomes service finds what it needs; by environment only."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.outcomes.rules.ringfence import Rule


class Settings(BaseSettings):
    """The outcomes service calls no other service."""

    model_config = SettingsConfigDict(env_prefix="RINGFENCE_")

    keys_dir: Path = Path("var/keys")
    poll_seconds: float = 0.5
    pool_size: int = 10
    trust_census: Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])$")] = "09-12"
    count_contract_years: bool = False
    carry_over: bool = False

    @property
    def rule(self) -> Rule:
        """Which results count for a trust, as this installation is set."""
        month, day = (int(part) for part in self.trust_census.split("-"))
        return Rule(census=(month, day), count_contract_years=self.count_contract_years, carry_over=self.carry_over)
