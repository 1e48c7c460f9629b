#!/usr/bin/env python3
"""Lets the SDKs of Vault, AWS and GCP ask the mock, in Python and Node, as they are published.

    python3 mock-server/tests/sdks/check.py --windthrow WINDTHROW [--node NODE]

Each reads the secret, sees a rotation, reads the version before it, is handed the old one by a manager that
lags behind, and meets every fault of `faults.json` as the exception that stands there for it. Everything runs
on loopback. Exit code 0: all of that was so, and the history has every request and no secret; 1: it was not.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import python_sdks
from mock import Mock

HERE = Path(__file__).parent
FAULTS = json.loads((HERE / "faults.json").read_text())
STALE = {"kind": "vault-stale", "path": "secret/data/linktree"}
NODE = ("node-vault", "aws-sdk", "google-node")


class Sdk:
    """One SDK, asked by name: `read` gives the key, and `fault` the name of the exception."""

    def __init__(self, name, mock, node):
        self.name, self.mock, self.node = name, mock, node

    def ask(self, what):
        """("ok", the key) or ("error", the exception)."""
        if self.name in NODE:
            command = [self.node, "node_sdks.mjs"]
        elif what == "login":
            command = [sys.executable, "python_sdks.py"]
        else:
            return python_sdks.ask(self.name, self.mock.said, what)
        env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | self.mock.said
        command += [self.name, what]
        done = subprocess.run(
            command, cwd=HERE, env=env, capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            return "error", f"the program ended with {done.returncode}: {done.stderr[-2_000:]}"
        return tuple(json.loads(done.stdout.splitlines()[-1]))


def told(sdk, mock):
    """What is wrong with what one SDK says; nothing when all is as it should be."""
    mock.reset()
    first = mock.said["LINKTREE_API_KEY"]

    def check(what, expected, asked="latest"):
        found = sdk.ask(asked)
        if found != expected:
            yield f"{sdk.name}, {what}: {found} instead of {expected}"

    yield from check("read", ("ok", first))
    mock.rotate()
    found = sdk.ask("latest")
    newest = found[1]
    if found[0] != "ok" or newest == first:
        yield f"{sdk.name}, rotated: {found}"
    yield from check("the version before", ("ok", first), "previous")
    mock.fails(**STALE)
    yield from check("lagging behind", ("ok", first))
    for name, fault in FAULTS.items():
        mock.fails(**fault.get("fault", {}))
        if fault.get("expire"):
            mock.steer("POST", "/world", {"kind": "expire-vault-tokens"})
        # Where no exception stands, the SDK waits for its answer, however long that takes.
        expected = fault[sdk.name]
        yield from check(name, ("error", expected) if expected else ("ok", newest))
    mock.reset()
    yield from check("logged in", ("ok", first), "login")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windthrow", required=True)
    parser.add_argument("--node", default="node")
    args = parser.parse_args()
    names = [*python_sdks.NAMES, *NODE]
    with tempfile.TemporaryDirectory() as folder:
        log = (Path(folder) / "log").open("w+")
        mock = Mock(args.windthrow, Path(folder), log)
        try:
            wrong = [line for name in names for line in told(Sdk(name, mock, args.node), mock)]
        finally:
            code = mock.stop()
        wrong += [f"the mock ended with {code}"] if code != 0 else []
        records, text = mock.records(), mock.history.read_text()
        for manager in ("vault", "aws", "gcp"):
            reads = [one for one in records if one.get("manager", "vault") == manager]
            faults = {mark["kind"] for one in reads for mark in one.get("faults", [])}
            tokens = {one["token"] for one in reads}
            if faults != {"vault-status", "vault-slow", "vault-stale"}:
                wrong.append(f"{manager}: the history knows of the faults {sorted(faults)}")
            if not {"run", "login", "expired"} <= tokens:
                wrong.append(f"{manager}: the history knows of the tokens {sorted(tokens)}")
        secrets = ("LINKTREE_API_KEY", "LINKTREE_WEBHOOK_SECRET", "VAULT_TOKEN", "VAULT_SECRET_ID")
        wrong += [f"the history holds {name}" for name in secrets if mock.said[name] in text]
    for line in wrong:
        print(f"WRONG {line}")
    each = 5 + len(FAULTS)
    print(f"{len(names)} SDKs, {each} answers of each, {len(records)} requests recorded, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
