"""procrastinate doing nothing, as its manual sets up a worker with concurrency: `python -m bench.peers.jobs URL JOBS`.

The jobs are deferred in batches before; it prints how many seconds the worker took until none was left.
"""

import asyncio
import sys
import time

import procrastinate

CONCURRENCY, BATCH = 30, 1000
"""The manual's example of a worker for many small jobs; there are as many connections, and one that listens."""


async def main(url: str, jobs: int) -> float:
    """The seconds of the worker."""
    connector = procrastinate.PsycopgConnector(conninfo=url, min_size=4, max_size=CONCURRENCY + 1)
    app = procrastinate.App(connector=connector)

    async def do(number: int) -> None:
        """Nothing."""

    nothing = app.task(do, queue="told", name="nothing")
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for first in range(0, jobs, BATCH):
            await nothing.batch_defer_async(*({"number": number} for number in range(first, min(first + BATCH, jobs))))
        await connector.execute_query_async("ANALYZE")
        begun = time.perf_counter()
        await app.run_worker_async(queues=["told"], concurrency=CONCURRENCY, wait=False)
        taken = time.perf_counter() - begun
        left = await connector.execute_query_one_async(
            "SELECT count(*) FROM procrastinate_jobs WHERE status <> 'succeeded'"
        )
    if left["count"]:
        raise RuntimeError(f"{left['count']} jobs were not done")
    return taken


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1], int(sys.argv[2]))))
