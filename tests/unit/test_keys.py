"""Signing keys in a folder: published before they are used, believed after that, and seen without a restart."""

import base64
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services import key_states, keys
from services.kernel.auth import service_caller
from services.kernel.errors import Unauthenticated
from services.kernel.tokens import ACCESS, IDENTITY, Signer, Verifier
from services.keys import DAY, LEAD, OVERLAP, SIGNERS, Folder

ISSUER = "https://ringfence.example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a key for every signer."""
    keys.ensure(tmp_path)
    return tmp_path


class Clock:
    """Real time, moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead, real = 0.0, time.time
        monkeypatch.setattr(time, "time", lambda: real() + self.ahead)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that the test moves on."""
    return Clock(monkeypatch)


def token(folder: Path) -> str:
    """An access token of a process that has just started."""
    return Signer(Folder(folder), "tokens", ISSUER).sign(ACCESS, "ringfence", "x", {})


def kid(of: str) -> str:
    """The key that signed it."""
    head = of.split(".", maxsplit=1)[0]
    return str(json.loads(base64.urlsafe_b64decode(head + "=="))["kid"])


def test_every_signer_gets_one_key_that_only_its_owner_may_read(folder: Path) -> None:
    keys.ensure(folder)
    found = Folder(folder)()
    assert sorted(each.signer for each in found.values()) == sorted(SIGNERS)
    assert {each.signer: each.typ for each in found.values()} == SIGNERS
    for private in folder.glob("*.pem"):
        assert private.stat().st_mode & 0o077 == 0
    assert not list(folder.glob("*.new"))


def test_a_new_key_is_published_used_and_the_old_one_believed_until_its_tokens_have_ended(
    folder: Path, clock: Clock
) -> None:
    running = Folder(folder)
    signer, verifier = Signer(running, "tokens", ISSUER), keys.Recognising(running)
    first = signer.key().id
    second = keys.rotate(folder, "tokens")
    assert signer.key().id == first
    assert {each["kid"] for each in running.published()["keys"]} == {first, second}
    clock.ahead = LEAD - 5
    old = signer.sign(ACCESS, "ringfence", "x", {})
    assert kid(old) == first
    clock.ahead = LEAD + 5
    new = signer.sign(ACCESS, "ringfence", "x", {})
    assert kid(new) == second
    for each in (old, new):
        assert verifier.claims(each, ACCESS, "ringfence", ISSUER)["sub"] == "x"
    assert [each.state for each in key_states.listed(folder) if each.signer == "tokens"] == [
        "believed, no longer used",
        "in use",
    ]
    clock.ahead = LEAD + OVERLAP + 5
    assert {each["kid"] for each in running.published()["keys"]} == {second}
    assert ACCESS.seconds + 60 < OVERLAP


def test_what_an_old_key_signs_too_late_is_refused(folder: Path, clock: Clock) -> None:
    running = Folder(folder)
    first = Signer(running, "tokens", ISSUER).key()
    keys.rotate(folder, "tokens")
    clock.ahead = LEAD + OVERLAP + 5
    late = Signer(lambda: {first.id: first}, "tokens", ISSUER).sign(ACCESS, "ringfence", "x", {})
    with pytest.raises(Unauthenticated):
        Verifier(running).claims(late, ACCESS, "ringfence", ISSUER)


def test_a_stolen_key_is_refused_at_once(folder: Path) -> None:
    running = Folder(folder)
    stolen = token(folder)
    verifier = Verifier(running)
    assert verifier.claims(stolen, ACCESS, "ringfence", ISSUER)
    name = keys.replace_at_once(folder, "tokens")
    with pytest.raises(Unauthenticated):
        verifier.claims(stolen, ACCESS, "ringfence", ISSUER)
    assert kid(token(folder)) == name
    assert verifier.claims(token(folder), ACCESS, "ringfence", ISSUER)


def test_a_key_serves_one_purpose(folder: Path) -> None:
    running = Folder(folder)
    for name, typ in SIGNERS.items():
        for purpose in (ACCESS, IDENTITY):
            made = Signer(running, name, ISSUER).sign(purpose, "ringfence", "x", {})
            if purpose.typ == typ:
                assert Verifier(running).claims(made, purpose, "ringfence", ISSUER)
            else:
                with pytest.raises(Unauthenticated):
                    Verifier(running).claims(made, purpose, "ringfence", ISSUER)


def test_a_machine_without_the_private_part_believes_but_does_not_sign(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for public in folder.glob("*.json"):
        (elsewhere / public.name).write_bytes(public.read_bytes())
    keys.ensure(elsewhere)
    assert not list(elsewhere.glob("*.pem"))
    assert Verifier(Folder(elsewhere)).claims(token(folder), ACCESS, "ringfence", ISSUER)
    with pytest.raises(ValueError, match="empty"):
        token(elsewhere)


def test_keys_that_are_due_are_renewed_and_retired_ones_removed(folder: Path, clock: Clock) -> None:
    assert keys.rotate_due(folder, 90) == []
    clock.ahead = 90 * DAY + 60
    made = keys.rotate_due(folder, 90)
    assert sorted(name.rpartition("-")[0] for name in made) == sorted(SIGNERS)
    assert keys.rotate_due(folder, 90) == [], "a key that waits for its day is not renewed again"
    assert len(Folder(folder)()) == 6
    clock.ahead += LEAD + OVERLAP + 60
    assert keys.rotate_due(folder, 90) == []
    assert set(Folder(folder)()) == set(made)
    assert {each.stem for each in folder.glob("*-*.pem")} == set(made)


def test_keys_of_others_are_not_renewed_here(folder: Path, clock: Clock) -> None:
    for private in folder.glob("contracts-*.pem"):
        private.unlink()
    clock.ahead = 100 * DAY
    assert sorted(name.rpartition("-")[0] for name in keys.rotate_due(folder, 90)) == ["gateway", "tokens"]


def test_a_folder_that_cannot_be_read_leaves_what_was_known(folder: Path) -> None:
    running = Folder(folder)
    known = running()
    folder.rename(folder.with_name("moved"))
    assert running() == known
    with pytest.raises(FileNotFoundError):
        Folder(folder)()
    folder.with_name("moved").rename(folder)


def test_a_folder_is_read_again_only_when_it_has_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads, real = [], keys.read

    def read(path: Path) -> Any:
        reads.append(path)
        return real(path)

    monkeypatch.setattr(keys, "read", read)
    os.utime(folder, (1, 1))
    running = Folder(folder)
    first = running()
    assert running() is first
    assert len(reads) == 1
    keys.rotate(folder, "tokens")
    assert len(running()) == len(first) + 1


def test_keys_that_are_made_at_the_same_moment_all_count(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: keys.rotate(folder, "tokens", lead=0), range(8)))
    assert set(made) <= set(Folder(folder)())
    assert Verifier(Folder(folder)).claims(token(folder), ACCESS, "ringfence", ISSUER)


def test_an_identity_serves_half_of_its_life_for_one_caller_one_audience_and_one_key(
    folder: Path, clock: Clock
) -> None:
    running = Folder(folder)
    vouching, verifier = keys.Vouching(running, "gateway"), keys.Recognising(running)
    caller = service_caller("somebody")
    first = vouching.identity(caller, "contracts")
    clock.ahead = IDENTITY.seconds / 2 - 5
    assert vouching.identity(caller, "contracts") == first
    assert verifier.identity(first, "contracts") == caller
    others = {vouching.identity(caller, "outcomes"), vouching.identity(replace(caller, name="else"), "contracts")}
    assert len(others | {first}) == 3
    clock.ahead = IDENTITY.seconds / 2 + 5
    later = vouching.identity(caller, "contracts")
    assert later != first
    keys.replace_at_once(folder, "gateway")
    replaced = vouching.identity(caller, "contracts")
    assert kid(replaced) != kid(later)
    assert verifier.identity(replaced, "contracts") == caller
    with pytest.raises(Unauthenticated):
        verifier.identity(later, "contracts")


def test_a_token_that_is_recognised_is_believed_no_longer_than_it_and_its_key_last(folder: Path, clock: Clock) -> None:
    os.utime(folder, (1e9, 1e9))
    running = Folder(folder)
    old, recognising = Signer(running, "tokens", ISSUER).key(), keys.Recognising(running)
    known = partial(recognising.claims, purpose=ACCESS, audience="ringfence", issuer=ISSUER)
    short = token(folder)
    assert known(short) is known(short)
    with pytest.raises(Unauthenticated):
        recognising.claims(short, ACCESS, "elsewhere", ISSUER)
    clock.ahead = ACCESS.seconds + 1
    with pytest.raises(Unauthenticated):
        known(short)
    keys.rotate(folder, "tokens")
    os.utime(folder, (1e9 + 1, 1e9 + 1))
    clock.ahead += LEAD + OVERLAP - 5
    stolen = Signer(lambda: {old.id: old}, "tokens", ISSUER).sign(ACCESS, "ringfence", "x", {})
    assert known(stolen) is known(stolen)
    clock.ahead += 10
    with pytest.raises(Unauthenticated):
        known(stolen)
