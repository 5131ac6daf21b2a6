"""Signing keys of an installation: files in a folder, one pair for each key, that come and go while services run.

A key is never changed: `<id>.json` is its public part (a JWK with its signer, what it signs, and from when), `<id>.pem`
its private part. What a key is worth at a moment follows from the keys of its signer beside it. Folders of several
machines are therefore brought together by copying files.
"""

import base64
import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from services.kernel.auth import Caller
from services.kernel.tokens import ACCESS, ALGORITHM, IDENTITY, Key, Keys, Purpose, Signer, Verifier, loaded, unpacked

SIGNERS = {"tokens": ACCESS.typ, "gateway": IDENTITY.typ, "contracts": IDENTITY.typ}
"""Who signs, and what: access tokens for clients, and identities between services."""
OVERLAP = 900
"""Seconds for which a key is believed after a later one took its place: longer than any token lives."""
DAY = 86_400
LEAD = DAY
"""Seconds between the publication of a key and its use: for verifiers to read it and for machines to copy it."""
SETTLED = 1_000_000_000
"""Nanoseconds after which a folder's time stamp tells of every change that it stands for."""
NEVER = float("inf")
VOUCHED = 4096
"""How many identities are kept at most."""
LOG_KEY, SEALING_KEY = "log.pem", "webhooks.key"
"""What signs the log's checkpoints, and what seals the secrets of subscriptions: the same on all gateways."""
SEALER = "webhooks"
"""Under this name the key that seals is rotated and listed. It is used from a time on, which its file's name says."""
PUBLIC = ("kty", "crv", "x", "y", "kid", "use", "alg")


class Folder:
    """The keys in a folder, read again whenever it has changed; while it cannot be read, those that were known."""

    def __init__(self, path: Path) -> None:
        self.path, self.stamp = path, 0
        self.keys: Mapping[str, Key] = {}

    def __call__(self) -> Mapping[str, Key]:
        """The keys at this moment, by id."""
        try:
            stamp = self.path.stat().st_mtime_ns
            if stamp != self.stamp:
                self.keys = read(self.path)
                self.stamp = stamp if time.time_ns() - stamp > SETTLED else 0
        except OSError:
            if not self.keys:
                raise
        return self.keys

    def published(self) -> dict[str, Any]:
        """The public keys of access tokens, as anybody may read them (RFC 7517): also those not yet in use."""
        mine = [each for each in self().values() if each.typ == ACCESS.typ and time.time() < each.until]
        entries = [json.loads((self.path / f"{each.id}.json").read_text()) for each in mine]
        return {"keys": [{name: entry[name] for name in PUBLIC} for entry in entries]}


def read(folder: Path) -> dict[str, Key]:
    """All keys of a folder, each with the time until which it is believed."""
    found: list[Key] = []
    for path in sorted(folder.glob("*-*.json")):
        entry, private = json.loads(path.read_text()), path.with_suffix(".pem")
        signs = loaded(private.read_text()) if private.exists() else None
        facts = (entry["kid"], entry["signer"], entry["typ"], float(entry["use_from"]), NEVER)
        found.append(Key(*facts, loaded({name: entry[name] for name in PUBLIC}), signs))
    return {each.id: replace(each, until=until(each, found)) for each in found}


def until(key: Key, keys: Iterable[Key]) -> float:
    """Until when a key is believed: for a while after the next key of its signer is in use."""
    place = (key.use_from, key.id)
    later = [each.use_from for each in keys if each.signer == key.signer and (each.use_from, each.id) > place]
    return min(later) + OVERLAP if later else NEVER


class Recognising(Verifier):
    """Checks tokens, each once while it and its key last: most identities are those of callers seen before."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(keys)
        self.by, self.known = keys(), dict[tuple[str, Purpose, str, str | None], tuple[float, dict[str, Any]]]()

    def claims(self, token: str, purpose: Purpose, audience: str, issuer: str | None = None) -> dict[str, Any]:
        """The claims of a valid token; raises Unauthenticated for anything else."""
        asked, keys = (token, purpose, audience, issuer), self.keys()
        if keys is not self.by or len(self.known) >= VOUCHED:
            self.by, self.known = keys, {}
        until, found = self.known.get(asked, (0.0, {}))
        if time.time() >= until:
            found = super().claims(token, purpose, audience, issuer)
            key = self.keys()[json.loads(unpacked(token.partition(".")[0]))["kid"]]
            self.known[asked] = min(key.until, found["exp"]), found
        return found


class Vouching(Signer):
    """Signs identities, each once for half of its life: most calls between services are for callers seen before."""

    def __init__(self, keys: Keys, name: str) -> None:
        super().__init__(keys, name)
        self.made: dict[tuple[str, Caller, str], tuple[float, str]] = {}

    def identity(self, caller: Caller, audience: str) -> str:
        """A short-lived signed identity, by the key that is in use now."""
        asked, now = (self.key().id, caller, audience), time.time()
        until, token = self.made.get(asked, (0.0, ""))
        if now >= until:
            if len(self.made) >= VOUCHED:
                self.made.clear()
            token = super().identity(caller, audience)
            self.made[asked] = now + IDENTITY.seconds / 2, token
        return token


def ensure(folder: Path) -> None:
    """Make a key for every signer that has none, and where there was none at all the keys that all gateways share.

    A machine to which public keys were copied belongs to an installation that has those.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    present = {each.signer for each in read(folder).values()}
    for signer in SIGNERS:
        if signer not in present:
            make(folder, signer, time.time())
    for name, content in ((LOG_KEY, log_key), (SEALING_KEY, sealing_key)):
        if not present and not (folder / name).exists():
            write(folder / name, content(), 0o600)


def log_key() -> bytes:
    """A new key for the log."""
    return private_pem(Ed25519PrivateKey.generate())


def sealing_key() -> bytes:
    """A new key for the secrets of subscriptions."""
    return secrets.token_bytes(32)


def make(folder: Path, signer: str, use_from: float) -> str:
    """A new key of a signer, to be used from a time on; gives its id. It is seen whole or not at all."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = f"{signer}-{uuid4().hex[:8]}"
    facts = {**jwk_of(key), "kid": name, "use": "sig", "alg": ALGORITHM}
    entry = {**facts, "signer": signer, "typ": SIGNERS[signer], "use_from": use_from}
    write(folder / f"{name}.pem", private_pem(key), 0o600)
    write(folder / f"{name}.json", json.dumps(entry, indent=2).encode() + b"\n", 0o644)
    return name


def write(path: Path, content: bytes, mode: int) -> None:
    """Put a file in its place at once and for good."""
    draft = path.with_suffix(f"{path.suffix}.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def rotate(folder: Path, signer: str, *, lead: float = LEAD) -> str:
    """A new key of a signer, used after `lead` seconds; the present one is believed for a while after that."""
    return make(folder, signer, time.time() + lead)


def rotate_sealing(folder: Path, *, lead: float = LEAD) -> str:
    """A new key for the secrets of subscriptions, which seals after `lead` seconds; others open what they sealed."""
    name = f"{SEALER}-{int(time.time() + lead)}-{uuid4().hex[:8]}"
    write(folder / f"{name}.key", sealing_key(), 0o600)
    return name


def replace_at_once(folder: Path, signer: str) -> str:
    """A new key of a signer, used from now, and no other: what the old ones signed is refused (a key was stolen)."""
    old = [each.id for each in read(folder).values() if each.signer == signer]
    name = make(folder, signer, time.time())
    for each in old:
        remove(folder, each)
    return name


def rotate_due(folder: Path, days: float) -> list[str]:
    """Give every signer that signs here a new key when its latest is this old, and remove what nobody believes.

    Gives the ids of the new keys.
    """
    now, made, present = time.time(), [], read(folder)
    for each in present.values():
        if each.private is not None and each.until == NEVER and each.use_from + days * DAY <= now:
            made.append(rotate(folder, each.signer))
        if each.until < now:
            remove(folder, each.id)
    return made


def remove(folder: Path, name: str) -> None:
    """Take a key away, the public part first, so that nobody trusts what is half gone."""
    for suffix in (".json", ".pem"):
        (folder / f"{name}{suffix}").unlink(missing_ok=True)


def jwk_of(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """The public point of a key as a JWK writes it (RFC 7518, section 6.2.1)."""
    point = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": coordinate(point.x), "y": coordinate(point.y)}


def coordinate(number: int) -> str:
    """A coordinate of a point on P-256 in base64url."""
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")


def private_pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    """The private key as it is kept."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load_log_key(folder: Path) -> Ed25519PrivateKey:
    """The key under which the log signs its checkpoints."""
    key = load_pem_private_key((folder / LOG_KEY).read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{LOG_KEY} holds no Ed25519 key.")
    return key


def no_keys() -> Keys:
    """Keys of nobody, for descriptions that are made without an installation."""
    return dict
