"""Where the contracts service finds what it needs; by environment only."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`RINGFENCE_OUTCOMES_URL` empty: the outcomes service runs in the same process."""

    model_config = SettingsConfigDict(env_prefix="RINGFENCE_")

    outcomes_url: str | None = None
    keys_dir: Path = Path("var/keys")
    poll_seconds: float = 0.5
    pool_size: int = 10
