"""Where the gateway finds what it needs; by environment only."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The two service addresses empty: both run in the same process.

    `webhook_allow` names loopback hosts that webhooks may reach, also over http: for tests and development.
    """

    model_config = SettingsConfigDict(env_prefix="RINGFENCE_")

    contracts_url: str | None = None
    outcomes_url: str | None = None
    keys_dir: Path = Path("var/keys")
    poll_seconds: float = 0.5
    pull_seconds: float = 1.0
    pool_size: int = 10
    webhook_ports: str = "443,8443"
    webhook_allow: str = ""
    webhook_failing_days: int = 5
