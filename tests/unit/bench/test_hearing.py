"""What the receiver of the benchmark finds wrong with deliveries."""

import base64
import json

from bench.hearing import Delivery, judged
from services.gateway.rules.webhooks import signed

SECRET = b"s" * 32
SECRETS = {"one": base64.b64encode(SECRET).decode(), "two": base64.b64encode(b"t" * 32).decode()}


def sent(number: int, subscription: str = "one", contract: str = "a") -> Delivery:
    body = json.dumps({"data": {"contract_id": contract, "number": number}}).encode()
    name = f"{contract}{number}"
    signature = signed([SECRET], name, 7, body)
    head = f"POST /hook/{subscription} HTTP/1.1\r\nwebhook-id: {name}\r\nwebhook-timestamp: 7\r\n"
    return f"{head}webhook-signature: {signature}".encode(), body


def test_what_comes_again_is_in_order_and_what_overtakes_is_not() -> None:
    good = {"heard": 3, "again": 0, "unsigned": 0, "overtaking": 0}
    assert judged([sent(1), sent(1, contract="b"), sent(2)], SECRETS) == good
    assert judged([sent(1), sent(2), sent(1), sent(3)], SECRETS) == good | {"again": 1}
    assert judged([sent(1), sent(3), sent(2)], SECRETS) == good | {"overtaking": 1}
    assert judged([sent(1), sent(2), sent(1, "two")], SECRETS) == good | {"unsigned": 1}
