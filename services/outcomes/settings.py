"""Where the outcomes service finds what it needs; by environment only."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The outcomes service calls no other service."""

    model_config = SettingsConfigDict(env_prefix="RINGFENCE_")

    keys_dir: Path = Path("var/keys")
    poll_seconds: float = 0.5
    pool_size: int = 10
