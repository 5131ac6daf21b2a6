"""Sample files of the repository, and the folder of DfE's full files where it lies beside the repository."""

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


@pytest.fixture
def sample() -> Callable[[str], bytes]:
    """The bytes of a sample file."""
    return lambda name: (ROOT / "sample" / name).read_bytes()


@pytest.fixture
def full() -> Path:
    """The folder of DfE's full files; skips the test where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder of DfE's files does not lie beside the repository")
    return folder
