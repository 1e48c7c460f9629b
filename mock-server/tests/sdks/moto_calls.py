"""What is asked of moto and of the mock, one call a line, and where the mock answers otherwise on purpose.

`{old}` and `{new}` stand for the ids of the two versions, `{arn}` for the secret's ARN.
"""

GET, DESCRIBE = "GetSecretValue", "DescribeSecret"
VERSIONS, LIST = "ListSecretVersionIds", "ListSecrets"
OURS = {"SecretId": "linktree"}

CALLS = [
    (GET, OURS),
    (GET, {"SecretId": "{arn}"}),
    (GET, {"SecretId": "linktree-staging"}),
    (GET, OURS | {"VersionStage": "AWSCURRENT"}),
    (GET, OURS | {"VersionStage": "AWSPREVIOUS"}),
    (GET, OURS | {"VersionStage": "AWSPENDING"}),
    (GET, OURS | {"VersionId": "{old}"}),
    (GET, OURS | {"VersionId": "{new}"}),
    (GET, OURS | {"VersionId": "00000000-0000-0000-0000-000000000000"}),
    (GET, OURS | {"VersionId": "{new}", "VersionStage": "AWSCURRENT"}),
    (GET, OURS | {"VersionId": "{old}", "VersionStage": "AWSCURRENT"}),
    (GET, {"SecretId": "nothing"}),
    (DESCRIBE, OURS),
    (DESCRIBE, {"SecretId": "{arn}"}),
    (DESCRIBE, {"SecretId": "nothing"}),
    (VERSIONS, OURS),
    (VERSIONS, OURS | {"IncludeDeprecated": True}),
    (VERSIONS, {"SecretId": "nothing"}),
    (LIST, {}),
]

def name(operation, fields):
    return " ".join([operation, *(f"{key}={value}" for key, value in fields.items())])


ABSENT = "moto says 404 where the service says 400 (its API reference, \"Common errors\"); the error is the same"

NULLS = "moto writes what is not set as null, and the members of ListSecrets and DescribeSecret in both"
NO_TOKEN = "moto writes an empty NextToken where nothing follows; the service leaves it out"

# By name: why, what moto says, what the mock says.
DIFFERS = {
    name(GET, OURS | {"VersionStage": "AWSPENDING"}): (ABSENT, 404, 400),
    name(GET, OURS | {"VersionId": "00000000-0000-0000-0000-000000000000"}): (ABSENT, 404, 400),
    name(GET, OURS | {"VersionId": "{old}", "VersionStage": "AWSCURRENT"}): (ABSENT, 404, 400),
    name(GET, {"SecretId": "nothing"}): (ABSENT, 404, 400),
    name(DESCRIBE, {"SecretId": "nothing"}): (ABSENT, 404, 400),
    name(DESCRIBE, OURS): (NULLS, 200, 200),
    name(DESCRIBE, {"SecretId": "{arn}"}): (NULLS, 200, 200),
    name(LIST, {}): (NULLS, 200, 200),
    name(VERSIONS, OURS): (NO_TOKEN, 200, 200),
    name(VERSIONS, OURS | {"IncludeDeprecated": True}): (NO_TOKEN, 200, 200),
    name(VERSIONS, {"SecretId": "nothing"}): ("moto breaks: it looks the secret up without asking", 500, 400),
}
