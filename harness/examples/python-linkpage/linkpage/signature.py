"""Whether a delivery comes from Linktree: HMAC-SHA256 over the bytes as they came, at a time near now."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping

TOLERANCE_S = 300

SCHEMES = ("standard-webhooks", "linktree-assumed")


def is_signed(
    scheme: str, body: bytes, headers: Mapping[str, str], secret: str, now: float
) -> bool:
    """`headers` has lower-case names; `now` is Unix time."""
    covered, timestamp, tags, key = _standard(headers, secret)
    if scheme == "linktree-assumed":
        covered, timestamp, tags, key = _assumed(headers, secret)
    if not key or not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    if abs(int(now) - int(timestamp)) > TOLERANCE_S:
        return False
    tag = hmac.digest(key, covered + body, "sha256")
    text = tag.hex() if scheme == "linktree-assumed" else base64.b64encode(tag).decode()
    expected = text.encode()
    return any(hmac.compare_digest(one.encode(), expected) for one in tags)


def _standard(headers: Mapping[str, str], secret: str) -> tuple[bytes, str, list[str], bytes]:
    """https://www.standardwebhooks.com: `v1,{base64}` over `{id}.{timestamp}.{body}`, several of them
    apart by spaces."""
    message, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    listed = headers.get("webhook-signature", "").split(" ")
    tags = [one[3:] for one in listed if one.startswith("v1,")] if message else []
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    return f"{message}.{timestamp}.".encode(), timestamp, tags, key


def _assumed(headers: Mapping[str, str], secret: str) -> tuple[bytes, str, list[str], bytes]:
    """Lower hex over `{timestamp}.{body}`, several apart by commas."""
    timestamp = headers.get("x-linktree-timestamp", "")
    tags = [one.strip() for one in headers.get("x-linktree-signature", "").split(",")]
    return f"{timestamp}.".encode(), timestamp, tags, secret.encode()
