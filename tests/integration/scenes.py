"""Scenes of the main job: databases up to a point of it, each played once for all workers, and what happens in one."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.conftest import locked
from tests.world import Actor, World, at, clone, drop, world_on

Actors = dict[str, Actor]
DRAFTED, FIRST_DAY, DAY_AFTER_LAST, RESULTS_OUT = "2023-06-20T09:00:00", "2023-09-01", "2024-09-01", "2025-03-21"


@dataclass(frozen=True)
class Case:
    """A contract that has worked, and the transfer that the gateway has proposed."""

    world: World
    actors: Actors
    contract: str
    transfer: str

    def __getitem__(self, name: str) -> Actor:
        return self.actors[name]


@dataclass(frozen=True)
class Scene:
    """A database up to a point of the main job, to be cloned; and how its actors prove themselves."""

    database: str
    headers: dict[str, dict[str, str]]
    contract: str = ""
    transfer: str = ""


Play = Callable[[World, Actors], Awaitable[tuple[str, ...]]]


@dataclass(frozen=True)
class Theatre:
    """Where scenes are played: each once for all workers, on a database like that of the scene before."""

    shared: dict[str, str]
    owner_url: str
    keys_dir: Path

    def scene(self, before: Scene, moment: str, play: Play) -> Scene:
        """The scene that follows when this is played at this moment; `play` gives the paths that it comes by."""
        kept = Path(self.shared["folder"]) / f"{play.__qualname__.partition('.')[0]}.json"
        with locked(self.shared):
            if not kept.exists():
                kept.write_text(json.dumps(asdict(self.played(before, moment, play))))
        return Scene(**json.loads(kept.read_text()))

    def played(self, before: Scene, moment: str, play: Play) -> Scene:
        """Play a scene now."""
        url = clone(self.owner_url, before.database)

        async def run() -> tuple[Actors, tuple[str, ...]]:
            async with world_on(url, self.keys_dir) as world:
                actors = actors_in(world, before) or await world.cast()
                return actors, await play(world, actors)

        with at(moment):
            actors, paths = asyncio.run(run())
        headers = {name: actor.headers for name, actor in actors.items()}
        return Scene(database_of(url), headers, *(paths or (before.contract, before.transfer)))


def actors_in(world: World, scene: Scene) -> Actors:
    """The actors of a scene in a world on a copy of it."""
    return {name: world.again(headers) for name, headers in scene.headers.items()}


def database_of(url: str) -> str:
    """The name of the database at an address."""
    return url.partition("?")[0].rpartition("/")[2]


def case_on(world: World, scene: Scene) -> Case:
    """The actors of a scene in a world on a copy of it."""
    return Case(world, actors_in(world, scene), scene.contract, scene.transfer)


@asynccontextmanager
async def copy_of(scene: Scene, owner_url: str, keys_dir: Path) -> AsyncIterator[Case]:
    """A copy of a scene, on the day after the results came out."""
    url = clone(owner_url, scene.database)
    with at(f"{RESULTS_OUT}T10:00:00"):
        async with world_on(url, keys_dir) as world:
            yield case_on(world, scene)
    drop(owner_url, url)
