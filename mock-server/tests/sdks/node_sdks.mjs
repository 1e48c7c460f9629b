// What the SDKs in Node say: node-vault, @aws-sdk/client-secrets-manager, and @google-cloud/secret-manager over
// REST. Arguments: the SDK, and latest, previous or login. The last line is ["ok", key] or ["error", exception].

import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { v1 } from "@google-cloud/secret-manager";
import nodeVault from "node-vault";

const { env } = process;
const NAME = "linktree";

const sdks = {
  async "node-vault"(what) {
    const client = nodeVault({ endpoint: env.VAULT_URL, token: env.VAULT_TOKEN, requestOptions: { timeout: 1000 } });
    if (what === "login") {
      client.token = "";
      const given = await client.approleLogin({ role_id: env.VAULT_ROLE_ID, secret_id: env.VAULT_SECRET_ID });
      client.token = given.auth.client_token;
    }
    const read = await client.read(`secret/data/${NAME}${what === "previous" ? "?version=1" : ""}`);
    return read.data.data;
  },
  async "aws-sdk"(what) {
    if (what === "login") {
      env.AWS_CONTAINER_CREDENTIALS_FULL_URI = `${env.AWS_ENDPOINT_URL_SECRETS_MANAGER}/credentials`;
      delete env.AWS_ACCESS_KEY_ID;
      delete env.AWS_SECRET_ACCESS_KEY;
    }
    const client = new SecretsManagerClient({ maxAttempts: 1, requestHandler: { requestTimeout: 1000, throwOnRequestTimeout: true } });
    const stage = what === "previous" ? { VersionStage: "AWSPREVIOUS" } : {};
    const read = await client.send(new GetSecretValueCommand({ SecretId: NAME, ...stage }));
    return JSON.parse(read.SecretString);
  },
  async "google-node"(what) {
    const url = new URL(env.GCP_SECRET_MANAGER_URL);
    const { GoogleAuth, OAuth2Client } = await import("google-auth-library");
    let auth;
    if (what === "login") {
      auth = new GoogleAuth();
    } else {
      delete env.GCE_METADATA_HOST;
      const authClient = new OAuth2Client();
      authClient.setCredentials({ access_token: env.GCP_TOKEN });
      auth = new GoogleAuth({ authClient });
    }
    const client = new v1.SecretManagerServiceClient({
      fallback: true,
      apiEndpoint: url.hostname,
      port: Number(url.port),
      protocol: "http",
      auth,
    });
    const version = what === "previous" ? "1" : "latest";
    const name = client.secretVersionPath(env.GOOGLE_CLOUD_PROJECT, NAME, version);
    const [read] = await client.accessSecretVersion({ name }, { timeout: 1000, retry: null });
    return JSON.parse(read.payload.data.toString());
  },
};

function nameOf(sdk, error) {
  switch (sdk) {
    case "node-vault":
      return String(error.response?.statusCode ?? error.code ?? error);
    case "google-node":
      return `${error.constructor.name} ${error.status ?? error.code}`;
    default:
      return error.name;
  }
}

const [sdk, what] = process.argv.slice(2);
let said;
try {
  said = ["ok", (await sdks[sdk](what)).api_key];
} catch (error) {
  said = ["error", nameOf(sdk, error)];
}
process.stdout.write(`${JSON.stringify(said)}\n`, () => process.exit(0));
