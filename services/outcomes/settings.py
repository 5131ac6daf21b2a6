"""Where the outcomes service finds what it needs; by environment only."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.outcomes.remote.hosts import Hosts
from services.outcomes.rules.ringfence import Rule, month_and_day

PUBLISHERS = (
    "api.education.gov.uk,content.explore-education-statistics.service.gov.uk,"
    "explore-education-statistics.service.gov.uk,get-information-schools.service.gov.uk,"
    "ea-edubase-api-prod.azurewebsites.net,www.compare-school-performance.service.gov.uk,"
    "www.find-school-performance-data.service.gov.uk,assets.publishing.service.gov.uk,www.gov.uk"
)
"""DfE (Explore Education Statistics, GIAS and the file server behind it, performance tables), and GOV.UK for Ofsted."""


class Settings(BaseSettings):
    """The outcomes service calls no other service; it fetches published files from listed hosts.

    `feed_hosts` are these hosts (`host` or `host:port`, separated by commas); `feed_hosts_inside` further ones that may
    have private addresses; `statistics_url` is the API of Explore Education Statistics.
    """

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
        census = month_and_day(self.trust_census)
        return Rule(census=census, count_contract_years=self.count_contract_years, carry_over=self.carry_over)

    feed_hosts: str = PUBLISHERS
    feed_hosts_inside: str = ""
    statistics_url: str = "https://api.education.gov.uk/statistics"

    def hosts(self) -> Hosts:
        """The hosts that files may be fetched from."""
        return Hosts.of(self.feed_hosts, self.feed_hosts_inside)
