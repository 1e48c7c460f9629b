"""What is asked of both vaults, one call a line, and where the mock answers otherwise on purpose.

A call names its token: RUN is the run's own, BAD opens nothing, NONE shows none, and any other word is the
token that an earlier call with `keep` was given, which `{word}` in a body stands for as well. `{role_id}`,
`{secret_id}` and `{jwt}` stand for what logs in. `DIFFERS` lists each call whose answer differs on purpose: the reason, and both statuses.
"""

from dataclasses import dataclass, field

RUN, BAD, NONE = "run", "bad", "none"
DATA, META = "/v1/secret/data/linktree", "/v1/secret/metadata"
TOKEN, MOUNTS = "/v1/auth/token", "/v1/sys/internal/ui/mounts"
APPROLE, KUBERNETES = "/v1/auth/approle/login", "/v1/auth/kubernetes/login"
PAIR = '{"role_id":"{role_id}","secret_id":"{secret_id}"}'
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MERGE = {"Content-Type": "application/merge-patch+json"}
UNWRAP, CAPABLE = "/v1/sys/wrapping/unwrap", "/v1/sys/capabilities-self"
WRAP = {"X-Vault-Wrap-TTL": "60"}
IN_PATH = ["secret/data/linktree", "secret/metadata/linktree", "secret/data/nothing", "nothing/x"]
IN_PATH += ["auth/token/lookup-self", "sys/health", "sys/seal-status", "sys/init"]
IN_PATH += ["sys/internal/ui/mounts/secret/linktree"]
TEAM, OTHER = {"X-Vault-Namespace": "team"}, {"X-Vault-Namespace": "other"}


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    token: str = RUN
    body: str | None = None
    headers: dict = field(default_factory=dict)
    keep: str | None = None  # the name for the token that it is given
    after: str | None = None  # what happens before: "a second and a half", or "all tokens expire"

    @property
    def name(self):
        parts = [self.method, self.path]
        parts += [f"token {self.token}"] if self.token != RUN else []
        parts += [f"body {self.body}"] if self.body is not None else []
        parts += [f"{name}: {value}" for name, value in self.headers.items()]
        return " | ".join(parts + ([f"after {self.after}"] if self.after else []))


def role(name, jwt="{jwt}"):
    return f'{{"role":"{name}","jwt":"{jwt}"}}'


STATE = [
    Call("GET", "/v1/sys/health", NONE),
    Call("HEAD", "/v1/sys/health", NONE),
    Call("GET", "/v1/sys/health", BAD),
    Call("GET", "/v1/sys/health?standbyok=true&activecode=299", NONE),
    Call("GET", "/v1/sys/health?activecode=x", NONE),
    Call("GET", "/v1/sys/health", RUN, headers=TEAM),
    Call("POST", "/v1/sys/health", NONE, "{}"),
    Call("LIST", "/v1/sys/health", NONE),
    Call("GET", "/v1/sys/seal-status", NONE),
    Call("HEAD", "/v1/sys/seal-status", NONE),
    Call("POST", "/v1/sys/seal-status", NONE, "{}"),
    Call("GET", "/v1/sys/seal-status", RUN, headers=TEAM),
    Call("GET", "/v1/sys/init", NONE),
    Call("HEAD", "/v1/sys/init", NONE),
    Call("PUT", "/v1/sys/init", NONE, '{"secret_shares":1,"secret_threshold":1}'),
    Call("GET", "/v1/sys/init", NONE, headers=TEAM),
    Call("GET", "/v1/sys/leader", NONE),
    Call("GET", "/v1/sys/mounts"),
    Call("GET", "/v1/sys/nothing", NONE),
]

SECRETS = [
    Call("GET", DATA),
    Call("GET", DATA, NONE, headers={"Authorization": "Bearer {run}"}),
    Call("GET", DATA, BAD, headers={"Authorization": "Bearer {run}"}),
    Call("GET", DATA, NONE, headers={"Authorization": "bearer {run}"}),
    Call("GET", DATA, RUN, headers={"X-Vault-Request": "true"}),
    Call("GET", DATA, NONE),
    Call("GET", DATA, BAD),
    Call("HEAD", DATA),
    Call("HEAD", DATA, BAD),
    Call("GET", DATA + "?version=1"),
    Call("GET", DATA + "?version=2"),
    Call("GET", DATA + "?version=0"),
    Call("GET", DATA + "?version=-1"),
    Call("GET", DATA + "?version=99"),
    Call("GET", DATA + "?version=x"),
    Call("GET", DATA + "?version=1&version=2"),
    Call("GET", DATA + "-staging"),
    Call("GET", "/v1/secret/data/other"),
    Call("GET", "/v1/secret/data/other", BAD),
    Call("GET", "/v1/secret/data"),
    Call("GET", "/v1/secret/data/%6cinktree"),
    Call("GET", DATA + "/"),
    Call("POST", DATA, RUN, '{"data":{"a":1}}', JSON),
    Call("PUT", DATA, BAD, '{"data":{"a":1}}', JSON),
    Call("POST", DATA, RUN, "{", JSON),
    Call("POST", DATA, BAD, "{", JSON),
    Call("DELETE", DATA),
    Call("PATCH", DATA, RUN, "{}", JSON),
    Call("PATCH", DATA, RUN, "{}", MERGE),
    Call("OPTIONS", DATA),
    Call("BREW", DATA),
    Call("LIST", DATA),
    Call("GET", "/v1/secret/linktree"),  # as a client of KV version 1
    Call("LIST", "/v1/secret/"),
    Call("GET", "/v1/secret"),
    Call("GET", "/v1/secret/config"),
    Call("GET", "/v1/secret/subkeys/linktree"),
    Call("GET", META + "/linktree"),
    Call("GET", META + "/linktree/"),
    Call("GET", META + "/linktree", BAD),
    Call("GET", META + "/other"),
    Call("GET", META),
    Call("GET", META + "/"),
    Call("LIST", META),
    Call("LIST", META + "/"),
    Call("LIST", META, NONE),
    Call("GET", META + "?list=true"),
    Call("GET", META + "?list=x"),
    Call("LIST", META + "/linktree"),
    Call("POST", META + "/linktree", RUN, "{}", JSON),
    Call("DELETE", META + "/linktree"),
    Call("GET", "/v1/secret/secret/data/linktree"),
]

WRAPPED = [
    Call("GET", DATA, RUN, headers=WRAP, keep="w1"),
    Call("POST", UNWRAP, "w1"),
    Call("POST", UNWRAP, "w1"),
    Call("GET", DATA, RUN, headers={"X-Vault-Wrap-TTL": "1h30m"}, keep="w2"),
    Call("PUT", UNWRAP, BAD, '{"token":"{w2}"}', JSON),
    Call("PUT", UNWRAP, NONE, '{"token":"{w2}"}', JSON),
    Call("PUT", UNWRAP, RUN, '{"token":"{w2}"}', JSON),
    Call("PUT", UNWRAP, RUN, '{"token":"{w2}"}', JSON),
    Call("GET", META + "/linktree", RUN, headers=WRAP, keep="w3"),
    Call("GET", DATA, "w3"),  # any other use of it uses it up
    Call("POST", UNWRAP, "w3"),
    Call("LIST", META, RUN, headers=WRAP, keep="w4"),
    Call("GET", UNWRAP, "w4"),
    Call("GET", UNWRAP, "w4"),
    Call("GET", TOKEN + "/lookup-self", RUN, headers=WRAP, keep="w5"),
    Call("GET", "/v1/sys/health", "w5"),
    Call("GET", MOUNTS + "/secret/linktree", "w5"),
    Call("POST", UNWRAP, "w5", headers=WRAP, keep="w6"),
    Call("POST", UNWRAP, "w6"),
    Call("POST", APPROLE, NONE, PAIR, JSON | WRAP, keep="w7"),
    Call("POST", UNWRAP, "w7"),
    Call("GET", DATA, RUN, headers={"X-Vault-Wrap-TTL": "1"}, keep="w8"),
    Call("POST", UNWRAP, "w8", after="a second and a half"),
    Call("GET", DATA, "w8"),
    Call("GET", DATA, RUN, headers=WRAP | TEAM, keep="w9"),
    Call("POST", UNWRAP, "w9"),
    Call("POST", UNWRAP, RUN, "{}", JSON),
    Call("POST", UNWRAP, BAD, "{}", JSON),
    Call("POST", UNWRAP, NONE, "{}", JSON),
    Call("POST", UNWRAP, NONE, '{"token":"x"}', JSON),
    Call("POST", UNWRAP, NONE, '{"token":""}', JSON),
    Call("POST", UNWRAP, RUN, '{"token":["x"]}', JSON),
    Call("POST", UNWRAP, RUN, "{", JSON),
    Call("GET", UNWRAP),
    Call("GET", DATA, RUN, headers={"X-Vault-Wrap-TTL": "0"}),
    Call("GET", DATA, RUN, headers={"X-Vault-Wrap-TTL": ""}),
    Call("GET", DATA, RUN, headers={"X-Vault-Wrap-TTL": "-1"}),
    Call("GET", DATA, RUN, headers={"X-Vault-Wrap-TTL": "1.5"}),
    Call("GET", DATA, BAD, headers={"X-Vault-Wrap-TTL": "x"}),
    Call("GET", "/v1/sys/health", NONE, headers={"X-Vault-Wrap-TTL": "x"}),
    Call("GET", "/v1/sys/health", NONE, headers=WRAP),
    Call("GET", "/v1/secret/data/other", RUN, headers=WRAP),
    Call("GET", "/v1/secret/linktree", RUN, headers=WRAP),
    Call("GET", DATA, BAD, headers=WRAP),
    Call("HEAD", DATA, RUN, headers=WRAP),
    Call("GET", MOUNTS + "/secret/linktree", RUN, headers=WRAP),
    Call("POST", TOKEN + "/renew-self", RUN, "{}", JSON | WRAP),
    Call("POST", APPROLE, NONE, '{"role_id":"{role_id}","secret_id":"x"}', JSON | WRAP),
]

PATHS = [
    Call("GET", "/v1/secret//data/linktree"),
    Call("GET", "/v1/secret/data/../data/linktree"),
    Call("GET", "//v1/secret/data/linktree"),
    Call("GET", "/v1"),
    Call("GET", "/v1/"),
    Call("GET", "/v2/secret/data/linktree"),
    Call("GET", "/v1/nothing/at/all"),
    Call("GET", "/v1/nothing/at/all", NONE),
    Call("GET", "/v1/cubbyhole/x"),
    Call("GET", "/ui", NONE),
]

MOUNTED = [
    Call("GET", MOUNTS + "/secret/linktree"),
    Call("GET", MOUNTS + "/secret"),
    Call("GET", MOUNTS + "/secret/linktree", NONE),
    Call("GET", MOUNTS + "/secret/linktree", BAD),
    Call("GET", MOUNTS + "/secrets/linktree"),
    Call("GET", MOUNTS + "/auth/token"),
    Call("HEAD", MOUNTS + "/secret/linktree"),
    Call("POST", MOUNTS + "/secret/linktree", RUN, "{}"),
    Call("GET", MOUNTS),
    Call("GET", MOUNTS, NONE),
    Call("GET", MOUNTS, BAD),
    Call("GET", MOUNTS + "/"),
    Call("LIST", MOUNTS),
]

NAMESPACES = [
    Call("GET", DATA, RUN, headers=TEAM),
    Call("GET", DATA, RUN, headers={"X-Vault-Namespace": "team/"}),
    Call("GET", DATA, RUN, headers={"X-Vault-Namespace": "root"}),
    Call("GET", DATA, RUN, headers=OTHER),
    Call("GET", DATA, BAD, headers=TEAM),
    Call("GET", META + "/linktree", RUN, headers=TEAM),
    Call("GET", MOUNTS + "/secret/linktree", RUN, headers=TEAM),
    Call("GET", TOKEN + "/lookup-self", RUN, headers=TEAM),
    Call("POST", APPROLE, NONE, PAIR, TEAM),
    *(Call("GET", f"/v1/team/{path}") for path in IN_PATH),
    Call("GET", "/v1/team/secret/data/linktree", BAD),
    Call("GET", "/v1/team/secret/data/linktree", NONE),
    Call("GET", "/v1/team/secret/data/linktree", RUN, headers={"X-Vault-Namespace": "root"}),
    Call("GET", "/v1/team/secret/data/linktree", RUN, headers=WRAP),
    Call("HEAD", "/v1/team/secret/data/linktree"),
    Call("POST", "/v1/team/secret/data/linktree", RUN, "{}", JSON),
    Call("LIST", "/v1/team/secret/metadata"),
    Call("POST", "/v1/team/auth/token/renew-self", RUN, '{"increment":3600}', JSON),
    Call("POST", "/v1/team/auth/approle/login", NONE, PAIR, JSON),
    Call("POST", "/v1/team/sys/wrapping/unwrap", RUN, '{"token":"x"}', JSON),
    Call("GET", "/v1/team"),
    Call("GET", "/v1/team/"),
    Call("GET", "/v1/other/secret/data/linktree"),
    Call("GET", "/v1/other/secret/data/linktree", BAD),
]

CAPABILITIES = [
    Call("POST", CAPABLE, RUN, '{"paths":["secret/data/linktree"]}', JSON),
    Call("PUT", CAPABLE, RUN, '{"path":"secret/data/linktree"}', JSON),
    Call("POST", CAPABLE, RUN, '{"paths":["secret/data/linktree","nothing/x","/secret/","secret"]}', JSON),
    Call("POST", CAPABLE, RUN, '{"paths":["secret/data/linktree","secret/data/linktree"]}', JSON),
    Call("POST", CAPABLE, RUN, '{"paths":"secret/data/linktree,nothing/x"}', JSON),
    Call("POST", CAPABLE, RUN, '{"paths":5}', JSON),
    Call("POST", CAPABLE, RUN, '{"path":["x"],"paths":[5]}', JSON),
    Call("POST", CAPABLE, RUN, '{"paths":{"a":1}}', JSON),
    Call("POST", CAPABLE, RUN, '{"paths":[""]}', JSON),
    Call("POST", CAPABLE, RUN, '{"paths":[]}', JSON),
    Call("POST", CAPABLE, RUN, "{}", JSON),
    Call("POST", CAPABLE, RUN, "{", JSON),
    Call("GET", CAPABLE),
    Call("LIST", CAPABLE),
    Call("POST", CAPABLE, BAD, '{"paths":["x"]}', JSON),
    Call("POST", CAPABLE, NONE, '{"paths":["x"]}', JSON),
    Call("POST", "/v1/sys/capabilities", RUN, '{"paths":["x"]}', JSON),
]

OWN = [
    Call("GET", TOKEN + "/lookup-self"),
    Call("GET", TOKEN + "/lookup-self", NONE),
    Call("GET", TOKEN + "/lookup-self", BAD),
    Call("HEAD", TOKEN + "/lookup-self"),
    Call("POST", TOKEN + "/lookup-self", RUN, "{}"),
    Call("POST", TOKEN + "/renew-self", RUN, '{"increment":3600}', JSON),
    Call("PUT", TOKEN + "/renew-self", RUN, '{"increment":"1h"}', JSON),
    Call("POST", TOKEN + "/renew-self", RUN, '{"increment":null}', JSON),
    Call("POST", TOKEN + "/renew-self", RUN, '{"increment":"90000h"}', JSON),
    Call("POST", TOKEN + "/renew-self", RUN, '{"increment":"soon"}', JSON),
    Call("POST", TOKEN + "/renew-self", RUN, '{"increment":-5}', JSON),
    Call("POST", TOKEN + "/renew-self", RUN, "[1]", JSON),
    Call("POST", TOKEN + "/renew-self", BAD, "{}", JSON),
    Call("GET", TOKEN + "/renew-self"),
    Call("GET", TOKEN + "/lookup-self"),  # after a renewal it says when that was
    Call("POST", TOKEN + "/lookup", RUN, "{}", JSON),
    Call("POST", TOKEN + "/create", RUN, "{}", JSON),
    Call("POST", TOKEN + "/revoke-self", NONE, "{}", JSON),
    Call("GET", TOKEN + "/revoke-self"),
]

APPROLES = [
    Call("POST", APPROLE, NONE, PAIR, JSON, keep="first"),
    Call("PUT", APPROLE, BAD, PAIR, JSON),
    Call("POST", APPROLE, NONE, "role_id={role_id}&secret_id={secret_id}", FORM),
    Call("POST", APPROLE, NONE, "role_id={role_id}&secret_id={secret_id}", JSON),
    Call("POST", APPROLE, NONE, '{"role_id":"{role_id}","secret_id":"x"}', JSON),
    Call("POST", APPROLE, NONE, '{"role_id":"x","secret_id":"{secret_id}"}', JSON),
    Call("POST", APPROLE, NONE, '{"role_id":"x","secret_id":"y"}', JSON),
    Call("POST", APPROLE, NONE, '{"role_id":"{role_id}"}', JSON),
    Call("POST", APPROLE, NONE, '{"secret_id":"{secret_id}"}', JSON),
    Call("POST", APPROLE, NONE, '{"role_id":["x"],"secret_id":"y"}', JSON),
    Call("POST", APPROLE, NONE, "{", JSON),
    Call("POST", APPROLE, NONE, "", JSON),
    Call("GET", APPROLE, NONE),
    Call("LIST", APPROLE, NONE),
    Call("POST", "/v1/auth/nothing/login", NONE, "{}", JSON),
    Call("GET", TOKEN + "/lookup-self", "first"),
    Call("GET", DATA, "first"),
    Call("POST", TOKEN + "/renew-self", "first", '{"increment":"2h"}', JSON),
    Call("POST", TOKEN + "/revoke-self", "first", "{", JSON),
    Call("POST", TOKEN + "/revoke-self", "first", "{}", JSON),
    Call("POST", TOKEN + "/revoke-self", "first", "{}", JSON),
    Call("GET", DATA, "first"),
]

KUBERNETES_LOGINS = [
    Call("POST", KUBERNETES, NONE, role("linktree"), JSON, keep="second"),
    Call("PUT", KUBERNETES, NONE, role("linktree"), JSON),
    Call("POST", KUBERNETES, NONE, role("linktree", "x"), JSON),
    Call("POST", KUBERNETES, NONE, role("linktree", "{expired_jwt}"), JSON),
    Call("POST", KUBERNETES, NONE, role("linktree", "{foreign_jwt}"), JSON),
    Call("POST", KUBERNETES, NONE, role("other"), JSON),
    Call("POST", KUBERNETES, NONE, role(""), JSON),
    Call("POST", KUBERNETES, NONE, '{"role":"linktree"}', JSON),
    Call("POST", KUBERNETES, NONE, '{"role":"linktree","jwt":{}}', JSON),
    Call("POST", KUBERNETES, NONE, "{", JSON),
    Call("GET", KUBERNETES, NONE),
    Call("LIST", KUBERNETES, NONE),
    Call("GET", TOKEN + "/lookup-self", "second"),
]

LIVES = [
    Call("POST", APPROLE, NONE, PAIR, JSON, keep="third"),
    Call("POST", TOKEN + "/renew-self", "second", '{"increment":1}', JSON),
    Call("GET", DATA, "second"),
    Call("GET", DATA, "second", after="a second and a half"),
    Call("POST", TOKEN + "/renew-self", "second", "{}", JSON),
    Call("GET", DATA, "third"),
    Call("GET", DATA, "third", after="all tokens expire"),
    Call("GET", TOKEN + "/lookup-self"),
    Call("POST", APPROLE, NONE, PAIR, JSON, keep="fourth"),
    Call("GET", DATA, "fourth"),
]

CALLS = [
    *(STATE + SECRETS + WRAPPED + PATHS + MOUNTED + NAMESPACES),
    *(CAPABILITIES + OWN + APPROLES + KUBERNETES_LOGINS + LIVES),
]

# By name: why, what the real server says, what the mock says.
DIFFERS = {
    Call("GET", DATA + "/").name: (
        "the server calls it its own fault (\"could not find version data\"); the mock has no such secret",
        500,
        404,
    ),
    Call("GET", "/ui", NONE).name: ("the mock has no pages for people", 307, 404),
    Call("GET", DATA, RUN, headers=OTHER).name: (
        "the mock knows every namespace, so that a service may keep the name of its own",
        404,
        200,
    ),
    Call("GET", "/v1/other/secret/data/linktree").name: (
        "the mock knows every namespace, so that a service may keep the name of its own",
        403,
        200,
    ),
    Call("POST", APPROLE, NONE, '{"role_id":"x","secret_id":"y"}', JSON).name: (
        "the mock takes a pair that it has never heard of, so that a service may bring its own",
        400,
        200,
    ),
    Call("POST", KUBERNETES, NONE, role("linktree", "{foreign_jwt}"), JSON).name: (
        "only a cluster could say who signed a token; the mock looks at its form and its time",
        403,
        200,
    ),
    Call("POST", KUBERNETES, NONE, role("other"), JSON).name: (
        "the mock knows every role, so that a service may keep the name of its own",
        400,
        200,
    ),
}
