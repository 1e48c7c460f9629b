"""What of an answer must be equal: the status, a few headers, and every key of the JSON with its kind."""

import json
from dataclasses import dataclass

KINDS = {dict: "object", list: "list", str: "text", bool: "bool", int: "number", float: "number"}
HEADERS = ("content-type", "cache-control", "x-vault-namespace", "location")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: frozenset
    keys: frozenset


def answer(status, headers, body):
    """The shape of an answer; a body that is no JSON counts by whether there is one."""
    kept = {(name.lower(), value) for name, value in headers if name.lower() in HEADERS}
    if not body:
        return Answer(status, frozenset(kept), frozenset())
    try:
        keys = frozenset(keys_of(json.loads(body)))
    except ValueError:
        keys = frozenset({("", "text")})
    return Answer(status, frozenset(kept), keys)


def keys_of(value, path=""):
    """Every key as a path, with the kind of what it holds; what a list holds stands under `[]`."""
    yield (path, KINDS.get(type(value), "null"))
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from keys_of(inner, f"{path}.{name}" if path else name)
    if isinstance(value, list):
        for inner in value:
            yield from keys_of(inner, f"{path}[]")


def difference(real, mock):
    """In words, what the mock answers otherwise; None when it is nothing."""
    if real.status != mock.status:
        return f"status {mock.status} instead of {real.status}"
    for what, of in (("header", lambda one: one.headers), ("key", lambda one: one.keys)):
        missing, more = of(real) - of(mock), of(mock) - of(real)
        if missing or more:
            return f"{what}s: missing {sorted(missing)}, too many {sorted(more)}"
    return None


def verdict(real, mock, listed):
    """What is wrong with a call; None when nothing is. `listed` is why it may differ, and both statuses."""
    found = difference(real, mock)
    if listed is None:
        return found
    reason, *statuses = listed
    if found is None:
        return f"it is listed as different ({reason}), and is not"
    if [real.status, mock.status] != statuses:
        return f"it is listed with the statuses {statuses}: {found}"
    return None


def spoiled(one):
    """Every way in which one answer can be changed by a little; each must be noticed."""
    yield Answer(one.status + 1, one.headers, one.keys)
    yield Answer(one.status, one.headers | {("x-vault-namespace", "spoiled")}, one.keys)
    for header in one.headers:
        yield Answer(one.status, one.headers - {header}, one.keys)
    yield Answer(one.status, one.headers, one.keys | {("spoiled", "text")})
    for key in one.keys:
        yield Answer(one.status, one.headers, one.keys - {key})
        yield Answer(one.status, one.headers, one.keys - {key} | {(key[0], "spoiled")})
