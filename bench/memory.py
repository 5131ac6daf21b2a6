"""Row 55: the most memory that taking in the register needs, each way in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from bench.contest import Goal, Measured, Result
from bench.ground import Ground
from bench.ingest import Work, by_pandas, works
from bench.loading import ingest

OFTEN = 0.01
MIB = 2**20


def run(ground: Ground, wanted: set[int]) -> Iterator[Result]:
    """The row, if it is wanted."""
    if 55 not in wanted:
        return
    work = works(ground)[0]
    ours, theirs, nothing = [], [], []
    for _ in range(ground.times):
        ours.append(peak(ground, "ours", work))
        theirs.append(peak(ground, "pandas", work))
        nothing.append(peak(ground, "nothing", work))
    yield Result(
        55,
        "Most memory in the first ingest of the register",
        "MiB",
        Measured.of(ours),
        {"pandas to_sql": Measured.of(theirs)},
        Measured.of(nothing),
        "the program at rest, with the file's bytes",
        Goal(to_peer=1.0),
    )


def peak(ground: Ground, way: str, work: Work) -> float:
    """The most memory that a process of its own holds while it works, in MiB, looked at a hundred times a second."""
    url = ground.database(work.template(ground) if way == "ours" else None)
    feed, _year, path = work.sent
    words = [sys.executable, "-m", "bench.memory", way, url, feed, str(path), work.encoding]
    most = 0
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                most = max(most, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(OFTEN)
    ground.drop(url)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words[:4])
    return most / MIB


def main(way: str, url: str, feed: str, path: str, encoding: str) -> None:
    """Do the work once, in this process."""
    file = Path(path)
    if way == "ours":
        ingest(url, [(feed, None, file)])
    elif way == "pandas":
        by_pandas(url, file, encoding)
    else:
        held = file.read_bytes()
        time.sleep(10 * OFTEN)
        del held


if __name__ == "__main__":
    main(*sys.argv[1:])
