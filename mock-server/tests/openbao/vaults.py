"""Starts both vaults, brings them to the same state, and asks them."""

import base64
import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

ROOT, RUN_TOKEN, BAD_TOKEN = "root", "windthrow-compares", "hvs.CAESInobodyhasthis"
REVIEWED, FOREIGN = "c2lnbmVk", "Zm9yZWlnbg"
POLICY = """
path "secret/*" { capabilities = ["read", "list"] }
path "team/secret/*" { capabilities = ["read", "list"] }
path "team/auth/token/*" { capabilities = ["read", "update"] }
"""


def jwt(signature, exp=4_000_000_000):
    account = {"namespace": "default", "serviceaccount": {"name": "linkpage", "uid": "u-1"}}
    claims = {"iat": 1, "nbf": 1, "exp": exp, "kubernetes.io": account}
    claims["sub"] = "system:serviceaccount:default:linkpage"
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return ".".join([part({"alg": "RS256", "kid": "k"}), part(claims), signature])


class Vault:
    """One of the two: asked over a connection of its own for each call."""

    def __init__(self, address, run_token, role_id, secret_id):
        self.address = address
        self.tokens = {"run": run_token, "bad": BAD_TOKEN}
        self.words = {"role_id": role_id, "secret_id": secret_id, "run": run_token}
        self.words |= {"jwt": jwt(REVIEWED), "foreign_jwt": jwt(FOREIGN)}
        self.words["expired_jwt"] = jwt(REVIEWED, exp=2)
        self.asked = []

    def filled(self, text):
        for name, value in (self.words | self.tokens).items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def ask(self, call):
        """Status, headers and body."""
        headers = {name: self.filled(value) for name, value in call.headers.items()}
        if call.token != "none":
            headers["X-Vault-Token"] = self.tokens[call.token]
        body = None if call.body is None else self.filled(call.body)
        status, sent, answer = request(self.address, call.method, call.path, headers, body)
        self.asked.append((call.method, call.path.split("?")[0], status))
        if call.keep is not None and status == 200:
            given = json.loads(answer)
            wrapped = given["wrap_info"]
            self.tokens[call.keep] = wrapped["token"] if wrapped else given["auth"]["client_token"]
        return status, sent, answer


def request(address, method, path, headers=None, body=None):
    connection = http.client.HTTPConnection(*address, timeout=20)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()


class Review(http.server.BaseHTTPRequestHandler):
    """A cluster that says whether it has signed a token."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        known = asked["spec"]["token"].endswith(REVIEWED)
        status = {"authenticated": known}
        if known:
            status["user"] = {"username": "system:serviceaccount:default:linkpage", "uid": "u-1"}
        body = json.dumps({"kind": "TokenReview", "status": status}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class OpenBao(Vault):
    """A real server in development mode, which keeps everything in memory."""

    def __init__(self, program, log):
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = free.getsockname()
        super().__init__(address, RUN_TOKEN, "the-role", "the-secret")
        listen = f"{address[0]}:{address[1]}"
        command = [program, "server", "-dev", f"-dev-root-token-id={ROOT}"]
        command += [f"-dev-listen-address={listen}", "-dev-no-store-token"]
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.cluster = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Review)
        threading.Thread(target=self.cluster.serve_forever, daemon=True).start()

    def set_up(self):
        wait(lambda: request(self.address, "GET", "/v1/sys/health")[0] == 200, self.process)
        first = {"data": {"api_key": "k1", "webhook_secret": "w"}}
        self.root("POST", "secret/data/linktree", first)
        self.root("POST", "secret/data/linktree", {"data": {"api_key": "k2", "webhook_secret": "w"}})
        self.root("POST", "secret/data/linktree-staging", first)
        self.root("POST", "sys/namespaces/team")
        mount = {"type": "kv", "options": {"version": "2"}}
        self.root("POST", "sys/mounts/secret", mount, "team")
        # A mount of this version is upgraded first, which takes a moment.
        wait(lambda: self.tried("POST", "secret/data/linktree", first, "team") == 200, self.process)
        self.root("POST", "secret/data/linktree", first, "team")
        self.root("PUT", "sys/policies/acl/linktree", {"policy": POLICY})
        token = {"id": RUN_TOKEN, "policies": ["linktree"], "ttl": "768h"}
        self.root("POST", "auth/token/create", token)
        for namespace in (None, "team"):
            self.root("POST", "sys/auth/approle", {"type": "approle"}, namespace)
            role = {"token_policies": ["linktree"], "token_ttl": "768h"}
            self.root("POST", "auth/approle/role/linktree", role, namespace)
            name = {"role_id": self.words["role_id"]}
            self.root("POST", "auth/approle/role/linktree/role-id", name, namespace)
            secret = {"secret_id": self.words["secret_id"]}
            self.root("POST", "auth/approle/role/linktree/custom-secret-id", secret, namespace)
        self.root("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
        cluster = "http://127.0.0.1:%d" % self.cluster.server_address[1]
        config = {"kubernetes_host": cluster, "token_reviewer_jwt": jwt(REVIEWED)}
        config |= {"kubernetes_ca_cert": "none", "disable_local_ca_jwt": True}
        self.root("POST", "auth/kubernetes/config", config)
        role = {"bound_service_account_names": ["*"], "bound_service_account_namespaces": ["*"]}
        role |= {"token_policies": ["linktree"], "token_ttl": "768h"}
        self.root("POST", "auth/kubernetes/role/linktree", role)

    def tried(self, method, path, body=None, namespace=None):
        headers = {"X-Vault-Token": ROOT, "Content-Type": "application/json"}
        headers |= {"X-Vault-Namespace": namespace} if namespace else {}
        return request(self.address, method, f"/v1/{path}", headers, json.dumps(body or {}))[0]

    def root(self, *args):
        status = self.tried(*args)
        if status not in (200, 204):
            raise SystemExit(f"failed to prepare the real server: {args[:2]} was answered {status}")

    def expire_all(self):
        for name in self.tokens.keys() - {"bad"}:
            self.tried("POST", "auth/token/revoke", {"token": self.tokens[name]})

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.cluster.shutdown()


class Mock(Vault):
    """The mock, run alone as the README says."""

    def __init__(self, program, folder, log):
        self.history = Path(folder) / "history.ndjson"
        command = [program, "mock", "serve", "--port", "0", "--control-port", "0"]
        command += ["--history", str(self.history)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdout=pipe, stderr=log, text=True)
        said = {}
        for line in self.process.stdout:
            if line.startswith("# ready"):
                break
            name, _, value = line.strip().partition("=")
            said[name] = value
        else:
            raise SystemExit("the mock did not start")
        super().__init__(
            address(said["VAULT_URL"]),
            said["VAULT_TOKEN"],
            said["VAULT_ROLE_ID"],
            said["VAULT_SECRET_ID"],
        )
        self.control = address(said["WINDTHROW_CONTROL_URL"])
        self.keys = [said["LINKTREE_API_KEY"], said["LINKTREE_WEBHOOK_SECRET"]]

    def set_up(self):
        self.steer("/keys/rotate", {"overlap_ms": 60_000})  # so that there are two versions

    def steer(self, path, body):
        status = request(self.control, "POST", path, body=json.dumps(body))[0]
        if status != 200:
            raise SystemExit(f"the mock's control API answered {path} with {status}")

    def expire_all(self):
        self.steer("/world", {"kind": "expire-vault-tokens"})

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()

    def unrecorded(self):
        """What is wrong with the mock's history of all this."""
        lines = [json.loads(line) for line in self.history.read_text().splitlines()]
        reads = [line for line in lines if line["event"] == "secret-read"]
        seen = [(read["method"], read["path"], read["status"]) for read in reads]
        if seen != self.asked:
            odd = next((pair for pair in zip(self.asked, seen) if pair[0] != pair[1]), None)
            yield f"the history has {len(seen)} of {len(self.asked)} calls, first otherwise: {odd}"
        if not any(line["event"] == "world" for line in lines):
            yield "the history does not say that the tokens expired"
        text = self.history.read_text()
        planted = [*self.keys, *self.tokens.values(), self.words["secret_id"], jwt(REVIEWED)]
        planted.remove(BAD_TOKEN)
        yield from (f"the history holds {secret!r}" for secret in planted if secret in text)


def address(url):
    host, port = url.strip("'\"").removeprefix("http://").rsplit(":", 1)
    return host, int(port)


def wait(done, process, most_s=20):
    until = time.monotonic() + most_s
    while time.monotonic() < until and process.poll() is None:
        try:
            if done():
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise SystemExit("the real server did not become ready")
