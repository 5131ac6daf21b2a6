"""Where the contracts service finds what it needs; by environment only."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.contracts.rules.ocds.parties import Publisher


class Settings(BaseSettings):
    """`RINGFENCE_OUTCOMES_URL` empty: the outcomes service runs in the same process.

    `RINGFENCE_OCID_PREFIX` empty: nothing is published. A commissioner's office is no legal person of its own, so it is
    published under the department's identifier; which one that is, nobody has confirmed, so it can be set.
    """

    model_config = SettingsConfigDict(env_prefix="RINGFENCE_")

    outcomes_url: str | None = None
    keys_dir: Path = Path("var/keys")
    poll_seconds: float = 0.5
    hear_seconds: float = 1.0
    pool_size: int = 10
    ocid_prefix: str = Field(default="", pattern=r"^(ocds-[a-z0-9]{6})?$")
    publisher_name: str = "Ringfence"
    publisher_uri: str = "https://ringfence.education"
    department_scheme: str = "GB-GOR"
    department_id: str = "D6"
    department_name: str = "Department for Education"

    def publisher(self) -> Publisher | None:
        """Who publishes contracts, where a prefix says under which name."""
        if not self.ocid_prefix:
            return None
        department = (self.department_scheme, self.department_id, self.department_name)
        return Publisher(self.ocid_prefix, self.publisher_name, self.publisher_uri, *department)
