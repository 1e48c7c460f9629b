#!/usr/bin/env python3
"""Asks moto and the mock's AWS Secrets Manager the same, and fails where the mock answers otherwise.

    python3 mock-server/tests/sdks/compare_moto.py --windthrow WINDTHROW

moto is no real service, but the reference that the SDK's users test with. Exit code 0: status, error and
every JSON key with its kind were equal for all calls but those that `moto_calls.py` lists with a reason, and
each of those differs, and every answer that was spoiled on purpose was noticed. 1: they were not.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import boto3
import botocore.awsrequest
import botocore.auth
import botocore.credentials
import requests
from moto.server import ThreadedMotoServer

from mock import Mock
from moto_calls import CALLS, DIFFERS, name

sys.path.append(str(Path(__file__).parent.parent / "openbao"))
import shape  # noqa: E402


class Aws:
    """One of the two, asked without an SDK's retries and parsing."""

    def __init__(self, url, key_id, secret):
        self.url, self.words = url, {}
        self.credentials = botocore.credentials.Credentials(key_id, secret)
        self.client = boto3.client(
            "secretsmanager",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
        )

    def learn(self):
        said = self.client.describe_secret(SecretId="linktree")
        by_stage = {stages[0]: one for one, stages in said["VersionIdsToStages"].items()}
        self.words = {"{arn}": said["ARN"]}
        self.words |= {"{new}": by_stage["AWSCURRENT"], "{old}": by_stage["AWSPREVIOUS"]}

    def ask(self, operation, fields):
        filled = {key: self.words.get(value, value) for key, value in fields.items()}
        headers = {"X-Amz-Target": f"secretsmanager.{operation}"}
        headers["Content-Type"] = "application/x-amz-json-1.1"
        request = botocore.awsrequest.AWSRequest("POST", self.url + "/", headers, json.dumps(filled))
        botocore.auth.SigV4Auth(self.credentials, "secretsmanager", "us-east-1").add_auth(request)
        answer = requests.post(self.url + "/", request.data, headers=dict(request.headers), timeout=20)
        body = answer.content
        for word, value in self.words.items():  # which stand as keys in what is described
            body = body.replace(value.encode(), word.encode())
        return shape.answer(answer.status_code, (), body), error_of(answer)


def error_of(answer):
    """The name of the error; None when it is none, or the server itself broke."""
    kind = answer.headers.get("content-type", "")
    return answer.json().get("__type") if not answer.ok and "json" in kind else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windthrow", required=True)
    args = parser.parse_args()
    names = [name(*call) for call in CALLS]
    for one in DIFFERS.keys() - set(names):
        raise SystemExit(f"a difference is listed for a call that nobody makes: {one}")
    wrong, noticed = [], 0
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        mock = Mock(args.windthrow, Path(folder), (Path(folder) / "log").open("w"))
        try:
            host, port = server.get_host_and_port()
            real = Aws(f"http://{host}:{port}", "test", "test")
            for secret in ("linktree", "linktree-staging"):
                real.client.create_secret(Name=secret, SecretString="one")
            real.client.put_secret_value(SecretId="linktree", SecretString="two")
            said = mock.said
            ours = Aws(
                said["AWS_ENDPOINT_URL_SECRETS_MANAGER"],
                said["AWS_ACCESS_KEY_ID"],
                said["AWS_SECRET_ACCESS_KEY"],
            )
            mock.rotate()
            real.learn(), ours.learn()
            for call, called in zip(CALLS, names):
                (one, one_error), (other, other_error) = real.ask(*call), ours.ask(*call)
                listed = DIFFERS.get(called)
                found = shape.verdict(one, other, listed)
                if found is None and None not in (one_error, other_error) and one_error != other_error:
                    found = f"error {other_error} instead of {one_error}"
                wrong += [f"{called}: {found}"] if found else []
                if listed is None:
                    unnoticed = [s for s in shape.spoiled(other) if not shape.difference(one, s)]
                    wrong += [f"a spoiled answer was not noticed: {called}: {s}" for s in unnoticed]
                    noticed += len(list(shape.spoiled(other))) - len(unnoticed)
        finally:
            mock.stop()
            server.stop()
    for line in wrong:
        print(f"WRONG {line}")
    print(
        f"{len(CALLS)} calls of moto and the mock: {len(CALLS) - len(DIFFERS)} alike, {len(DIFFERS)} "
        f"different for a reason, {len(wrong)} wrong; {noticed} answers were spoiled, and noticed"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
