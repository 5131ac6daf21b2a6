"""Where the gateway finds what it needs; by environment only."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The two service addresses empty: both run in the same process."""

    model_config = SettingsConfigDict(env_prefix="RINGFENCE_")

    contracts_url: str | None = None
    outcomes_url: str | None = None
    keys_dir: Path = Path("var/keys")
    poll_seconds: float = 0.5
    pull_seconds: float = 1.0
    integrate_seconds: float = 0.25
    log_origin: str = "ringfence.education/log"
    pool_size: int = 10
    hand_over_url: str | None = None
    hand_over_minutes: int = 60
