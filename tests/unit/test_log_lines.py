"""The program's log: a line of JSON for whatever is said."""

import json
import subprocess
import sys

SAYING = "import logging, structlog; from services.cli import log_from; log_from(logging.INFO); structlog.get_logger()"


def test_text_that_is_no_unicode_is_logged_too() -> None:
    said = [sys.executable, "-c", f"{SAYING}.info('request', caller='half \\ud800 of a sign', raw=b'\\xff')"]
    line = json.loads(subprocess.run(said, check=True, capture_output=True, text=True).stderr)
    assert (line["event"], line["level"], line["caller"]) == ("request", "info", "half \ud800 of a sign")
