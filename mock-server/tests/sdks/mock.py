"""The mock, run alone as the README says, with every secrets manager, and steered."""

import http.client
import json
import shlex
import signal
import subprocess

MANAGERS = ("vault", "aws", "gcp")


class Mock:
    def __init__(self, program, folder, log):
        self.history = folder / "history.ndjson"
        command = [program, "mock", "serve", "--port", "0", "--control-port", "0"]
        command += [word for name in MANAGERS for word in ("--secrets", name)]
        command += ["--history", str(self.history)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdout=pipe, stderr=log, text=True)
        self.said = {}
        for line in self.process.stdout:
            if line.startswith("# ready"):
                break
            name, _, value = line.strip().partition("=")
            self.said[name] = "".join(shlex.split(value)) if value else ""
        else:
            raise SystemExit("the mock did not start")

    def steer(self, method, path, body=None):
        host, port = self.said["WINDTHROW_CONTROL_URL"].removeprefix("http://").rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status >= 300:
                raise SystemExit(f"the mock answered {method} {path} with {answer.status}: {said}")
        finally:
            connection.close()

    def fails(self, **fault):
        """One rule in place of all others; none without a fault."""
        rules = [{"id": "one", "fault": fault}] if fault else []
        self.steer("PUT", "/plan", {"rules": rules})

    def rotate(self):
        self.steer("POST", "/keys/rotate", {"overlap_ms": 60_000})

    def reset(self):
        self.fails()
        self.steer("POST", "/reset")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()

    def records(self):
        lines = (json.loads(line) for line in self.history.read_text().splitlines())
        return [line for line in lines if line["event"] == "secret-read"]
