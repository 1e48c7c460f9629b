// Reads the configuration from the environment. Contract durations are divided by TIME_SCALE.

export function readConfig(env) {
  const scale = number(env, 'TIME_SCALE', 1, { min: 1 });
  const contract = (ms) => Math.max(1, Math.round(ms / scale));
  return {
    host: env.HOST || '127.0.0.1',
    port: number(env, 'PORT', 8080, { max: 65535 }),
    dataDir: required(env, 'DATA_DIR'),
    // Where Linktree reaches this service; webhooks are registered when it is set.
    publicUrl: env.PUBLIC_URL ? address(env, 'PUBLIC_URL') : null,
    allowedOrigins: (env.ALLOWED_ORIGIN ?? '')
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean),
    sessionSecret: env.SESSION_SECRET || null,
    logLevel: env.LOG_LEVEL || 'info',
    vault: {
      url: address(env, 'VAULT_URL'),
      token: required(env, 'VAULT_TOKEN'),
      path: env.VAULT_PATH || 'secret/data/linktree',
      environment: oneOf(env, 'LINKTREE_ENVIRONMENT', ['live', 'test']),
      refreshMs: contract(30_000),
    },
    linktree: {
      url: address(env, 'LINKTREE_URL'),
      timeoutMs: contract(10_000),
      analyticsTimeoutMs: contract(30_000),
      // Below the 100 that Linktree allows, and shared by every route.
      rate: {
        cap: 90,
        reservedForClicks: 24,
        windowMs: contract(60_000),
        guardMs: 30,
        patienceMs: contract(500),
      },
      // BREAKER=off is for demonstrations only: see the README.
      breaker: { enabled: env.BREAKER !== 'off', failures: 5, openMs: contract(30_000) },
      retry: { attempts: 5, baseMs: contract(1_000), capMs: contract(30_000) },
      keyRestMs: contract(15_000),
    },
    pages: {
      capacity: 10_000,
      coldWaitMs: contract(20_000),
      // A visitor notices 0.8 s, and an answer within 50 ms is worth waiting for.
      revalidationWaitMs: Math.min(800, Math.max(50, contract(800))),
      unknownTtlMs: contract(2_000),
    },
    webhooks: {
      scheme: oneOf(env, 'WEBHOOK_SCHEME', ['standard-webhooks', 'linktree-assumed']),
      renewMs: contract(3_600_000),
    },
    clicks: { batch: 100, coalesceMs: contract(500) },
  };
}

function required(env, name) {
  if (!env[name]) throw new Error(`failed to read ${name}: it is not set`);
  return env[name];
}

// The first is the default.
function oneOf(env, name, words) {
  const word = env[name] || words[0];
  if (words.includes(word)) return word;
  throw new Error(`failed to read ${name}: it is none of ${words.join(', ')}`);
}

function address(env, name) {
  const text = required(env, name);
  if (!URL.canParse(text)) throw new Error(`failed to read ${name}: it is not an address`);
  return text.replace(/\/+$/, '');
}

function number(env, name, fallback, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}) {
  if (env[name] === undefined || env[name] === '') return fallback;
  const value = Number(env[name]);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Error(`failed to read ${name}: it is not a whole number from ${min} to ${max}`);
  }
  return value;
}
