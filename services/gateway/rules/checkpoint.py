"""Signed checkpoints of the log: what tree it has, in the form of C2SP tlog-checkpoint and signed-note."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.kernel.errors import DomainError

ED25519 = b"\x01"
TEXT = re.compile(r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n")
SIGNATURE = re.compile("\N{EM DASH} (?P<name>[^ +\\n]+) (?P<signed>[A-Za-z0-9+/]+={0,2})")
KEY = re.compile(r"(?P<name>[^ +\n]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]+={0,2})")


class NotACheckpoint(DomainError):
    """A note or key that is not what it says, or that is not signed by the key that it should be signed by."""

    code = "not_a_checkpoint"
    title = "The checkpoint does not hold"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: under `origin`, a tree of `size` leaves has this root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed, with its final newline."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def raw(public: Ed25519PublicKey) -> bytes:
    """The 32 bytes of a public key."""
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(name: str, public: Ed25519PublicKey) -> bytes:
    """The four bytes by which a signature names its key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + raw(public)).digest()[:4]


def verifier_key(name: str, public: Ed25519PublicKey) -> str:
    """The public key as verifiers take it: name, key id, and algorithm with key."""
    return f"{name}+{key_id(name, public).hex()}+{base64.b64encode(ED25519 + raw(public)).decode()}"


def read_key(text: str) -> tuple[str, Ed25519PublicKey]:
    """Name and key of what `verifier_key` wrote; raises NotACheckpoint for anything else."""
    found = KEY.fullmatch(text)
    try:
        held = base64.b64decode(found["key"], validate=True) if found else b""
    except binascii.Error:
        held = b""
    if found is None or held[:1] != ED25519 or len(held) != 33:
        raise NotACheckpoint("This is no Ed25519 verifier key: name, key id and key, with + between them.")
    public = Ed25519PublicKey.from_public_bytes(held[1:])
    if key_id(found["name"], public).hex() != found["id"]:
        raise NotACheckpoint("The key id does not belong to this name and key.")
    return found["name"], public


def sign(checkpoint: Checkpoint, private: Ed25519PrivateKey) -> str:
    """The checkpoint as a note, signed in the name of its origin."""
    text = checkpoint.text()
    signed = key_id(checkpoint.origin, private.public_key()) + private.sign(text.encode())
    return f"{text}\n\N{EM DASH} {checkpoint.origin} {base64.b64encode(signed).decode()}\n"


def parse(note: str) -> tuple[Checkpoint, list[tuple[str, bytes]]]:
    """The checkpoint of a note and its signatures, each with its signer's name; not verified.

    Raises NotACheckpoint when the note has another form.
    """
    text, _, rest = note.partition("\n\n")
    found = TEXT.fullmatch(f"{text}\n")
    lines = [SIGNATURE.fullmatch(line) for line in rest.removesuffix("\n").split("\n")]
    if found is None or not rest.endswith("\n") or None in lines:
        raise NotACheckpoint("A checkpoint is origin, size and root, an empty line, and signatures.")
    try:
        signatures = [(line["name"], base64.b64decode(line["signed"], validate=True)) for line in lines if line]
    except binascii.Error as error:
        raise NotACheckpoint("A signature of the checkpoint is not base64.") from error
    return Checkpoint(found["origin"], int(found["size"]), base64.b64decode(found["root"])), signatures


def verify(note: str, name: str, public: Ed25519PublicKey) -> Checkpoint:
    """The checkpoint of a note that this key has signed; signatures of others are passed over.

    Raises NotACheckpoint when the note has another form or another origin, or this key has not signed it.
    """
    checkpoint, signatures = parse(note)
    if checkpoint.origin != name:
        raise NotACheckpoint(f"The checkpoint is of the log {checkpoint.origin}, not of {name}.")
    for signer, signed in signatures:
        if signer == name and signed[:4] == key_id(name, public):
            try:
                public.verify(signed[4:], checkpoint.text().encode())
            except InvalidSignature as error:
                raise NotACheckpoint("The signature of the checkpoint is not good.") from error
            return checkpoint
    raise NotACheckpoint("The checkpoint is not signed by the key of this log.")
