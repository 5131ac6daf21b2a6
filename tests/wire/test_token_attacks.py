"""The families of attacks on tokens (RFC 8725, and what python-jose lets through): each is a plain 401, and quickly."""

import base64
import hashlib
import hmac
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.gateway.credentials import RevokedToken
from services.gateway.rules.tokens import AUDIENCE
from services.kernel.tokens import ACCESS, ALGORITHM, IDENTITY, Signer, loaded
from services.kernel.types import Kind, real_now
from services.keys import Folder, jwk_of, private_pem
from tests.forging import by_hand, everything, packed, signed, signed_by_hand, stranger
from tests.world import World

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256: a signature (r, s) is as right as (r, ORDER - s)."""
TOO_LONG = 431
AT_MOST = 0.1
"""Seconds of work for one refusal."""


@dataclass
class Forger:
    """Somebody who knows all that is public, and, where a case says so, has the signing key itself."""

    good: str
    signer: Signer
    identities: Signer
    public: dict[str, str]

    @property
    def key(self) -> Any:
        """The private key of access tokens."""
        return self.signer.key().private

    @property
    def header(self) -> dict[str, Any]:
        """The header of a good token."""
        return {"alg": ALGORITHM, "typ": ACCESS.typ, "kid": self.signer.key().id}

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of a good token."""
        body = self.good.split(".")[1]
        return dict(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))

    def claiming(self, **changes: Any) -> str:
        """A token with other claims under the right signature; ... leaves one out."""
        left = {name: value for name, value in (self.claims | changes).items() if value is not ...}
        return signed_by_hand(self.key, self.header, left)

    def headed(self, **changes: Any) -> str:
        """A token with another header under the right signature; ... leaves a member out."""
        left = {name: value for name, value in (self.header | changes).items() if value is not ...}
        return signed_by_hand(self.key, left, self.claims)

    def worded(self, claims: str) -> str:
        """A token whose claims are this text, under the right signature."""
        return signed_by_hand(self.key, self.header, claims)

    def opened(self, header: str) -> str:
        """A token whose header is this text, under the right signature."""
        return signed_by_hand(self.key, header, self.claims)

    def keyed(self, secret: bytes, algorithm: str = "HS256") -> str:
        """A token with a symmetric signature under something that everybody knows."""
        unsigned = by_hand(self.header | {"alg": algorithm}, self.claims)[:-1]
        made = hmac.new(secret, unsigned.encode(), getattr(hashlib, f"sha{algorithm[2:]}")).digest()
        return f"{unsigned}.{packed(made)}"

    def pem(self, encoding: Encoding = Encoding.PEM) -> bytes:
        """The public key in a form that libraries take for a secret."""
        return bytes(self.key.prepared_key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo))

    def part(self, number: int) -> str:
        """A part of the good token."""
        return self.good.split(".")[number]

    def ending(self, signature: str) -> str:
        """The good token with another signature."""
        return f"{self.part(0)}.{self.part(1)}.{signature}"


def own_key(forger: Forger, **more: Any) -> str:
    """A token under a key of the forger's own, which its header brings along or points to."""
    key = ec.generate_private_key(ec.SECP256R1())
    header = forger.header | {name: jwk_of(key) if value == "mine" else value for name, value in more.items()}
    return signed_by_hand(loaded(private_pem(key).decode()), header, forger.claims)


def by_rsa(forger: Forger, algorithm: str) -> str:
    """A token under an RSA key of the forger's own."""
    private = rsa.generate_private_key(65_537, 2048)
    key = loaded(private_pem(private).decode(), "RS256")
    return signed_by_hand(key, forger.header | {"alg": algorithm}, forger.claims)


def compressed(forger: Forger) -> str:
    """An encrypted token in five parts that grows a thousandfold when it is unpacked."""
    bomb = zlib.compress(b"0" * 2_000_000, 9)
    return ".".join((packed(b'{"alg":"dir","enc":"A128GCM","zip":"DEF"}'), "", packed(b"x" * 12), packed(bomb), "AAAA"))


def raw(forger: Forger) -> tuple[int, int]:
    """r and s of the good token's signature."""
    found = base64.urlsafe_b64decode(forger.part(2) + "==")
    return int.from_bytes(found[:32], "big"), int.from_bytes(found[32:], "big")


def spare_bits(forger: Forger) -> str:
    """The same signature, spelt with other spare bits at its end."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = forger.part(2)[-1]
    return forger.ending(forger.part(2)[:-1] + alphabet[alphabet.index(last) ^ 1])


def another_ones_signature(forger: Forger) -> str:
    """The signature of another good token."""
    other = forger.signer.sign(ACCESS, AUDIENCE, "somebody", {"client_id": "somebody", "scope": "log:read"})
    return forger.ending(other.split(".")[2])


Case = Callable[[Forger], str | bytes]
NESTED = "[" * 180 + "]" * 180
NONE: dict[str, Case] = {
    f"alg {alg!r}, {how}": lambda f, alg=alg, how=how: by_hand(
        f.header | {"alg": alg}, f.claims, "" if how == "unsigned" else f.part(2)
    )
    for alg in ("none", "None", "NONE", "nOnE", "", None, 0, [], ["ES256"], {"ES256": 1})
    for how in ("unsigned", "signed")
}
CONFUSED: dict[str, Case] = {
    "HS256 keyed with the public PEM": lambda f: f.keyed(f.pem()),
    "HS384 keyed with the public PEM": lambda f: f.keyed(f.pem(), "HS384"),
    "HS512 keyed with the public PEM": lambda f: f.keyed(f.pem(), "HS512"),
    "HS256 keyed with the PEM less its last line end": lambda f: f.keyed(f.pem().strip()),
    "HS256 keyed with the public key in DER": lambda f: f.keyed(f.pem(Encoding.DER)),
    "HS256 keyed with the bare base64 of it": lambda f: f.keyed(base64.b64encode(f.pem(Encoding.DER))),
    "HS256 keyed with OpenSSH's form": lambda f: f.keyed(
        f.key.prepared_key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    ),
    "HS256 keyed with the JWK": lambda f: f.keyed(json.dumps(f.public).encode()),
    "HS256 keyed with x": lambda f: f.keyed(f.public["x"].encode()),
    "HS256 keyed with nothing": lambda f: f.keyed(b""),
    "HS256 keyed with one byte": lambda f: f.keyed(b"0"),
    "HS256 keyed with the kid": lambda f: f.keyed(f.public["kid"].encode()),
    "RS256 under a key of one's own": lambda f: by_rsa(f, "RS256"),
    "PS256 under a key of one's own": lambda f: by_rsa(f, "PS256"),
    "the right key, said to be ES384": lambda f: f.headed(alg="ES384"),
    "the right key, said to be es256": lambda f: f.headed(alg="es256"),
    "no alg": lambda f: f.headed(alg=...),
}
HEADERS: dict[str, Case] = {
    "a key inside": lambda f: own_key(f, jwk="mine"),
    "a key inside, no kid": lambda f: own_key(f, jwk="mine", kid=""),
    "jku": lambda f: own_key(f, jku="https://attacker.example/jwks.json"),
    "jku beside a right signature": lambda f: f.headed(jku="http://127.0.0.1/"),
    "x5u": lambda f: own_key(f, x5u="https://attacker.example/cert.pem"),
    "x5c": lambda f: own_key(f, x5c=["MIIB"]),
    "x5t": lambda f: f.headed(**{"x5t#S256": "AAAA"}),
    "a key of one's own under a known kid": own_key,
    "kid with a path": lambda f: own_key(f, kid="../../../../../../dev/null"),
    "kid of a file that exists": lambda f: own_key(f, kid=f"./{f.public['kid']}"),
    "kid with SQL": lambda f: own_key(f, kid="' UNION SELECT 'key' --"),
    "kid with a command": lambda f: own_key(f, kid="|/usr/bin/id"),
    "kid with a NUL": lambda f: own_key(f, kid="\x00"),
    "kid that is no text": lambda f: f.headed(kid=0),
    "kid that is a list": lambda f: f.headed(kid=[f.public["kid"]]),
    "kid that is null": lambda f: f.headed(kid=None),
    "no kid": lambda f: f.headed(kid=...),
    "unknown kid": lambda f: f.headed(kid="tokens-00000000"),
    "crit with what nobody knows": lambda f: f.headed(crit=["https://example.org/unknown"]),
    "crit with a claim": lambda f: f.headed(crit=["exp"]),
    "empty crit": lambda f: f.headed(crit=[]),
    "b64 false": lambda f: f.headed(b64=False, crit=["b64"]),
    "zip": lambda f: f.headed(zip="DEF"),
    "cty JWT": lambda f: f.headed(cty="JWT"),
    "no typ": lambda f: f.headed(typ=...),
    "typ JWT": lambda f: f.headed(typ="JWT"),
    "typ of an identity": lambda f: f.headed(typ=IDENTITY.typ),
    "typ in capitals": lambda f: f.headed(typ="AT+JWT"),
    "alg twice": lambda f: f.opened('{"alg":"none",' + json.dumps(f.header)[1:]),
    "kid twice": lambda f: f.opened('{"kid":"x",' + json.dumps(f.header)[1:]),
    "a header that is a list": lambda f: f.opened("[]"),
    "a header that is a text": lambda f: f.opened('"ES256"'),
    "a header that is a number": lambda f: f.opened("12"),
    "a header of brackets": lambda f: f.opened(NESTED),
    "a header of 1,100 brackets": lambda f: by_hand("[" * 1100, f.claims, f.part(2)),
    "a header of 2,000 braces": lambda f: by_hand('{"a":' * 2000, f.claims, f.part(2)),
    "a header with a nested alg": lambda f: f.opened('{"alg":' + NESTED + ',"typ":"at+jwt","kid":"x"}'),
    "a header with a byte order mark": lambda f: f.opened("\ufeff" + json.dumps(f.header)),
    "a header in UTF-16": lambda f: f"{packed(json.dumps(f.header).encode('utf-16'))}.{f.part(1)}.{f.part(2)}",
    "a header of no letters": lambda f: f"{packed(bytes(range(128, 200)))}.{f.part(1)}.{f.part(2)}",
    "a long header": lambda f: f.opened(json.dumps(f.header) + " " * 500),
}
CLAIMS: dict[str, Case] = {
    **{
        f"no {name}": lambda f, name=name: f.claiming(**{name: ...})
        for name in ("iss", "exp", "aud", "sub", "iat", "jti", "client_id", "scope")
    },
    **{
        f"{name} {value!r}": lambda f, name=name, value=value: f.claiming(**{name: value})
        for name, values in {
            "exp": (None, [], {}, "1", 1.5, True, -1, 0, 10**30),
            "iat": (None, [], "1", 1.5, -1, 0, 10**30),
            "nbf": (None, [], "1", 1.5, 10**12),
            "iss": (None, [], "", "gateway", "https://ringfence.localhost/", ["https://ringfence.localhost"]),
            "aud": (None, [], "", "contracts", ["ringfence"], ["ringfence", "other"], {"ringfence": 1}),
            "sub": (None, [], "", "somebody else", 1),
            "client_id": (None, [], "", "somebody else", "' OR '1'='1"),
            "jti": (None, [], "", 1),
            "scope": (None, ["contracts:read"], 1),
            "cnf": ({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}, {"jkt": "0ZcOCORZNYy"}, {}, None),
        }.items()
        for value in values
    },
    "expired": lambda f: f.claiming(iat=int(time.time()) - 700, exp=int(time.time()) - 100),
    "expired this second": lambda f: f.claiming(exp=int(time.time())),
    "issued an hour ahead": lambda f: f.claiming(iat=int(time.time()) + 3600, exp=int(time.time()) + 3900),
    "good for an hour": lambda f: f.claiming(exp=int(time.time()) + 3600),
    "good until the year 9999": lambda f: f.claiming(exp=253_402_300_799),
    "of a client that nobody knows": lambda f: f.claiming(client_id="nobody", sub="nobody"),
    "exp twice": lambda f: f.worded(json.dumps(f.claims)[:-1] + ',"exp":9999999999}'),
    "sub twice": lambda f: f.worded(json.dumps(f.claims)[:-1] + ',"sub":"dfe"}'),
    "exp Infinity": lambda f: f.worded(json.dumps(f.claims)[:-1].replace('"exp"', '"was"') + ',"exp":Infinity}'),
    "exp 1e400": lambda f: f.worded(json.dumps(f.claims)[:-1].replace('"exp"', '"was"') + ',"exp":1e400}'),
    "exp of 2,000 digits": lambda f: f.worded(
        json.dumps(f.claims)[:-1].replace('"exp"', '"was"') + ',"exp":' + "9" * 1900 + "}"
    ),
    "NaN among the claims": lambda f: f.worded(json.dumps(f.claims)[:-1] + ',"note":NaN}'),
    "1,000 brackets among the claims": lambda f: f.worded(
        json.dumps(f.claims)[:-1] + ',"note":' + "[" * 1000 + "]" * 1000 + "}"
    ),
    "claims that are brackets": lambda f: f.worded("[" * 2000),
    "claims that are a list": lambda f: f.worded("[]"),
    "claims that are a text": lambda f: f.worded('"x"'),
    "claims that are nothing": lambda f: f.worded("null"),
    "claims that are no JSON": lambda f: f.worded("{'exp': 1}"),
    "claims in bytes that are no letters": lambda f: f"{f.part(0)}.{packed(bytes(range(128, 250)))}.{f.part(2)}",
}
SIGNATURES: dict[str, Case] = {
    "no signature": lambda f: f.ending(""),
    "half a signature": lambda f: f.ending(f.part(2)[:43]),
    "a signature of zeros": lambda f: f.ending(packed(bytes(64))),
    "a signature of ones": lambda f: f.ending(packed((b"\x00" * 31 + b"\x01") * 2)),
    "r and s of the order": lambda f: f.ending(packed(ORDER.to_bytes(32, "big") * 2)),
    "a signature and more": lambda f: f.ending(f.part(2) + "AA"),
    "a signature in DER": lambda f: f.ending(packed(encode_dss_signature(*raw(f)))),
    "a signature backwards": lambda f: f.ending(f.part(2)[::-1]),
    "a padded signature": lambda f: f.good + "==",
    "a padded header": lambda f: f"{f.part(0)}=.{f.part(1)}.{f.part(2)}",
    "a signature with other spare bits": spare_bits,
    "the signature of another token": another_ones_signature,
    "changed claims": lambda f: f"{f.part(0)}.{by_hand({}, f.claims | {'scope': 'x'}).split('.')[1]}.{f.part(2)}",
    "the signature of the header only": lambda f: f.ending(packed(f.key.sign(f.part(0).encode()))),
}
WHOLES: dict[str, Case] = {
    "nothing": lambda _: "",
    "dots": lambda _: "..",
    "more dots": lambda _: "....",
    "one part": lambda f: f.part(0),
    "two parts": lambda f: f"{f.part(0)}.{f.part(1)}",
    "four parts": lambda f: f"{f.good}.{f.part(2)}",
    "an encrypted and compressed token": compressed,
    "a space before": lambda f: f" {f.good}",
    "a tab inside": lambda f: f.good.replace(".", "\t.", 1),
    "a space in the signature": lambda f: f.good[:-5] + " " + f.good[-5:],
    "letters beyond ASCII": lambda f: (f.good + "é").encode(),
    "digits beyond ASCII": lambda f: (f.good + "٣").encode(),
    "bytes that are no letters": lambda f: f.good.encode() + b"\xff\xfe",
    "the other alphabet of base64": lambda f: f.ending("+/" + f.part(2)[2:]),
    "5,000 letters": lambda f: f.ending("A" * 5000),
    "a token of 60,000 letters": lambda f: f"{f.part(0)}.{'A' * 60_000}.{f.part(2)}",
    "a token of 1,000 dots": lambda _: "." * 1000,
    "a token as JSON": lambda f: json.dumps({"payload": f.part(1), "protected": f.part(0), "signature": f.part(2)}),
    "an API key": lambda _: "mat_live_000000000000000000000000000000000000",
    "two tokens": lambda f: f"{f.good}, {f.good}",
    "an identity for contracts": lambda f: f.identities.identity(everything("gateway"), "contracts"),
    "an identity for the gateway": lambda f: f.identities.identity(everything("gateway"), "gateway"),
    "an identity for the public audience": lambda f: f.identities.identity(everything("gateway"), AUDIENCE),
    "claims of access under the key of identities": lambda f: signed(
        f.identities.key().private, f.header | {"kid": f.identities.key().id}, f.claims
    ),
    "an assertion of a client": lambda f: signed(
        f.key, {"typ": "JWT", "kid": f.public["kid"]}, f.claims | {"iss": "somebody", "sub": "somebody"}
    ),
    "a stranger's token": lambda f: stranger("tokens", f.public["kid"], ACCESS.typ).sign(
        ACCESS, AUDIENCE, "x", f.claims
    ),
}
FAMILIES = {
    "none": NONE,
    "confusion": CONFUSED,
    "headers": HEADERS,
    "claims": CLAIMS,
    "signatures": SIGNATURES,
    "wholes": WHOLES,
}


@pytest.fixture
async def forger(world: World, keys_dir: Path) -> Forger:
    """Somebody with a good token, before the gateway on this world."""
    dfe = await world.client(Kind.DFE)
    folder = Folder(keys_dir)
    good = dfe.headers["Authorization"].removeprefix("Bearer ")
    signer = Signer(folder, "tokens", "https://ringfence.localhost")
    public = next(each for each in folder.published()["keys"] if each["kid"] == signer.key().id)
    return Forger(good, signer, Signer(folder, "gateway"), public)


async def test_every_attack_is_refused_alike_and_quickly(
    world: World, forger: Forger, subtests: pytest.Subtests
) -> None:
    async def send(token: str | bytes) -> tuple[Any, float]:
        value = token if isinstance(token, bytes) else token.encode()
        started = time.process_time()
        answer = await world.http.get("/v1/contracts", headers=[(b"authorization", b"Bearer " + value)])
        return answer, time.process_time() - started

    assert (await send(forger.good))[0].status_code == 200
    assert (await send(forger.claiming()))[0].status_code == 200, "the forger's tools make good tokens"
    refused = None
    for family, cases in FAMILIES.items():
        for name, forge in cases.items():
            with subtests.test(family=family, case=name):
                token = forge(forger)
                answer, seconds = await send(token)
                assert seconds < AT_MOST or (await send(token))[1] < AT_MOST, "slow, and not by other threads' work"
                if answer.status_code == TOO_LONG:
                    assert len(forge(forger)) > 32_000, (
                        "only what no header field may hold is refused before it is read"
                    )
                    continue
                assert answer.status_code == 401
                refused = refused or answer
                assert answer.content == refused.content
                assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert (await send(forger.good))[0].status_code == 200, "no attack spoils what is good"
    assert sum(map(len, FAMILIES.values())) >= 60


async def test_a_token_signed_twice_over_is_one_token(world: World, forger: Forger) -> None:
    r, s = raw(forger)
    twin = forger.ending(packed(r.to_bytes(32, "big") + (ORDER - s).to_bytes(32, "big")))
    assert decode_dss_signature(encode_dss_signature(r, ORDER - s)) == (r, ORDER - s)
    for token in (forger.good, twin):
        answer = await world.http.get("/v1/contracts", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
    database = world.database("gateway")
    async with database.transaction(everything("gateway")) as session:
        session.add(
            RevokedToken(
                jti=forger.claims["jti"],
                client_id=forger.claims["sub"],
                revoked_at=real_now(),
                expires_at=real_now() + timedelta(minutes=10),
            )
        )
    for token in (forger.good, twin):
        answer = await world.http.get("/v1/contracts", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401


async def test_only_a_bearer_token_is_looked_at(world: World, forger: Forger) -> None:
    for scheme in ("DPoP", "Basic", "bearer\t", "Token", "Bearer,"):
        answer = await world.http.get("/v1/contracts", headers={"Authorization": f"{scheme} {forger.good}"})
        assert answer.status_code == 401, scheme
