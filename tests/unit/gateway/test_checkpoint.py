"""Signed checkpoints: the published note of Go's sumdb, our own in sigstore's parser, and every way not to hold."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sigstore._internal.rekor.checkpoint import SignedCheckpoint

from services.gateway.rules import checkpoint as rules
from services.gateway.rules.checkpoint import Checkpoint, NotACheckpoint

ORIGIN = "ringfence.education/log"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key()
OURS = Checkpoint(ORIGIN, 8, bytes(32))
NOTE = rules.sign(OURS, PRIVATE)
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
"""The verifier key of the example in Go's golang.org/x/mod/sumdb/note."""
PETERS_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETERS_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_the_published_key_and_signature_hold() -> None:
    name, public = rules.read_key(PETER)
    assert name == "PeterNeumann"
    assert rules.verifier_key(name, public) == PETER
    signed = base64.b64decode(PETERS_SIGNATURE)
    assert signed[:4] == rules.key_id(name, public)
    public.verify(signed[4:], PETERS_TEXT.encode())


def test_a_note_has_the_form_of_the_standard() -> None:
    lines = NOTE.split("\n")
    assert lines[:4] == [ORIGIN, "8", base64.b64encode(bytes(32)).decode(), ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]


def test_sigstore_reads_our_note() -> None:
    theirs = SignedCheckpoint.from_text(NOTE)
    assert (theirs.checkpoint.origin, theirs.checkpoint.log_size) == (ORIGIN, 8)
    assert theirs.checkpoint.log_hash == bytes(32).hex()


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_what_was_signed_is_read_and_verified(size: int, root: bytes) -> None:
    made = Checkpoint(ORIGIN, size, root)
    assert rules.verify(rules.sign(made, PRIVATE), ORIGIN, PUBLIC) == made


def test_signatures_of_witnesses_are_passed_over() -> None:
    witness = Ed25519PrivateKey.generate()
    signed = rules.key_id("witness", witness.public_key()) + witness.sign(OURS.text().encode())
    text, _, own = NOTE.partition("\n\n")
    both = f"{text}\n\n— witness {base64.b64encode(signed).decode()}\n{own}"
    assert rules.verify(both, ORIGIN, PUBLIC) == OURS
    assert rules.verify(f"{NOTE}— witness {base64.b64encode(signed).decode()}\n", ORIGIN, PUBLIC) == OURS


SIGNED = NOTE.partition("\n\n")[2]


@pytest.mark.parametrize(
    "note",
    [
        "",
        NOTE.removesuffix("\n"),
        NOTE.replace("\n8\n", "\n08\n"),
        NOTE.replace("\n8\n", "\n-8\n"),
        NOTE.replace("\n8\n", "\n8\nmore\n"),
        NOTE.replace("— ", "- "),
        NOTE.partition("\n\n")[0] + "\n\n",
        NOTE.replace("\n\n", "\n"),
        NOTE.partition("\n\n")[0] + f"\n\n— {ORIGIN} A\n",
    ],
)
def test_another_form_is_refused(note: str) -> None:
    with pytest.raises(NotACheckpoint):
        rules.verify(note, ORIGIN, PUBLIC)


def test_what_this_key_has_not_signed_is_refused() -> None:
    with pytest.raises(NotACheckpoint, match="is not good"):
        rules.verify(NOTE.replace("\n8\n", "\n9\n"), ORIGIN, PUBLIC)
    with pytest.raises(NotACheckpoint, match="not signed by the key"):
        rules.verify(NOTE, ORIGIN, Ed25519PrivateKey.generate().public_key())
    with pytest.raises(NotACheckpoint, match=r"not of elsewhere\.org"):
        rules.verify(NOTE, "elsewhere.org", PUBLIC)


@pytest.mark.parametrize(
    "key",
    ["", "PeterNeumann", PETER[:-4], PETER.replace("+ARp", "+BRp"), PETER.replace("ARpc", "A"), "a+00000000+AQ=="],
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(NotACheckpoint, match="no Ed25519"):
        rules.read_key(key)


def test_a_key_under_another_id_is_refused() -> None:
    with pytest.raises(NotACheckpoint, match="key id"):
        rules.read_key(PETER.replace("c74f20a3", "c74f20a4"))
