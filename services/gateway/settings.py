"""Where the gateway finds what it needs; by environment only."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.gateway.rules.networks import Network, networks
from services.gateway.rules.tokens import issuer_of


class Settings(BaseSettings):
    """The two service addresses empty: both run in the same process.

    `webhook_allow` names loopback hosts that webhooks may reach, also over http: for tests and development.
    `kept_megabytes`: how much of what services answered a process keeps, to ask only whether it still stands.
    `rate_…`: requests a minute of one caller, of one address without proof, and of one address for tokens.
    """

    model_config = SettingsConfigDict(env_prefix="RINGFENCE_")

    contracts_url: str | None = None
    outcomes_url: str | None = None
    keys_dir: Path = Path("var/keys")
    poll_seconds: float = 0.5
    pull_seconds: float = 1.0
    integrate_seconds: float = 0.25
    log_origin: str = "ringfence.education/log"
    pool_size: int = 10
    issuer: Annotated[str, AfterValidator(issuer_of)] = "https://ringfence.localhost"
    signing_days: float = 90
    trusted_proxies: str = ""
    webhook_ports: str = "443,8443"
    webhook_allow: str = ""
    webhook_failing_days: int = 5
    delivery_days: int = Field(default=90, ge=7)
    rate_caller: int = Field(default=600, ge=1)
    rate_address: int = Field(default=300, ge=1)
    rate_token: int = Field(default=60, ge=1)
    kept_megabytes: int = Field(default=16, ge=0)
    request_seconds: float = Field(default=60.0, gt=0)
    body_seconds: float = Field(default=10.0, gt=0)
    hand_over_url: str | None = None
    hand_over_minutes: int = 60

    def proxies(self) -> tuple[Network, ...]:
        """The networks of proxies whose X-Forwarded-For is believed."""
        return networks(self.trusted_proxies)
