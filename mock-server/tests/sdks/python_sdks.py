"""What the SDKs in Python say: hvac, boto3, and google-cloud-secret-manager over REST."""

import json
import os
import sys
from unittest import mock

import boto3
import botocore.config
import botocore.exceptions
import google.api_core.exceptions
import google.auth.compute_engine
import google.auth.exceptions
import google.auth.transport.requests
import google.oauth2.credentials
import hvac
import requests
from google.cloud import secretmanager

NAMES = ("hvac", "boto3", "google-python")
NAME = "linktree"


def ask(sdk, said, what):
    """("ok", the key) or ("error", the exception). What: latest, previous, login."""
    ways = {"hvac": vault, "boto3": aws, "google-python": gcp}
    try:
        return "ok", ways[sdk](said, what)["api_key"]
    except botocore.exceptions.ClientError as error:
        return "error", error.response["Error"]["Code"]
    except (
        hvac.exceptions.VaultError,
        requests.RequestException,
        botocore.exceptions.BotoCoreError,
        google.api_core.exceptions.GoogleAPIError,
        google.auth.exceptions.GoogleAuthError,
    ) as error:
        return "error", type(error).__name__


def vault(said, what):
    client = hvac.Client(url=said["VAULT_URL"], token=said["VAULT_TOKEN"], timeout=1)
    if what == "login":
        client.token = None
        client.auth.approle.login(said["VAULT_ROLE_ID"], said["VAULT_SECRET_ID"])
    version = 1 if what == "previous" else None
    read = client.secrets.kv.v2.read_secret_version(
        NAME, version=version, raise_on_deleted_version=True
    )
    return read["data"]["data"]


def aws(said, what):
    config = botocore.config.Config(
        retries={"total_max_attempts": 1}, read_timeout=1, connect_timeout=1
    )
    env = {name: value for name, value in said.items() if name.startswith("AWS_")}
    if what == "login":
        del env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
        env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = (
            env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] + "/credentials"
        )
    env["AWS_DEFAULT_REGION"] = env["AWS_REGION"]
    with mock.patch.dict(os.environ, env):
        # A session of its own finds credentials anew.
        client = boto3.session.Session().client("secretsmanager", config=config)
        stage = {"VersionStage": "AWSPREVIOUS"} if what == "previous" else {}
        read = client.get_secret_value(SecretId=NAME, **stage)
    return json.loads(read["SecretString"])


def gcp(said, what):
    credentials = google.oauth2.credentials.Credentials(said["GCP_TOKEN"])
    if what == "login":
        credentials = google_metadata(said)
    client = secretmanager.SecretManagerServiceClient(
        credentials=credentials,
        transport="rest",
        client_options={"api_endpoint": said["GCP_SECRET_MANAGER_URL"]},
    )
    version = "1" if what == "previous" else "latest"
    name = client.secret_version_path(said["GOOGLE_CLOUD_PROJECT"], NAME, version)
    read = client.access_secret_version(name=name, retry=None, timeout=1)
    return json.loads(read.payload.data)


def google_metadata(said):
    """Those that whoever runs on GCP gets from the metadata server."""
    assert os.environ["GCE_METADATA_HOST"] == said["GCE_METADATA_HOST"]
    credentials = google.auth.compute_engine.Credentials()
    credentials.refresh(google.auth.transport.requests.Request())
    return credentials


if __name__ == "__main__":
    # As a program of its own: google-auth reads its variable when it is loaded.
    print(json.dumps(ask(sys.argv[1], dict(os.environ), sys.argv[2])))
