"""Where the gateway finds what it needs; by environment only."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The two service addresses empty: both run in the same process.

    `rate_…`: requests a minute of one caller, of one address without proof, and of one address for tokens.
    """

    model_config = SettingsConfigDict(env_prefix="RINGFENCE_")

    contracts_url: str | None = None
    outcomes_url: str | None = None
    keys_dir: Path = Path("var/keys")
    poll_seconds: float = 0.5
    pull_seconds: float = 1.0
    pool_size: int = 10
    rate_caller: int = Field(default=600, ge=1)
    rate_address: int = Field(default=300, ge=1)
    rate_token: int = Field(default=60, ge=1)
    request_seconds: float = Field(default=60.0, gt=0)
    body_seconds: float = Field(default=10.0, gt=0)
