// A link-in-bio service in front of Linktree: reads the environment, serves until SIGTERM.

import { readConfig } from './src/config.js';
import { startService } from './src/service.js';

// Whoever sent SIGTERM will not wait for ever. What is cut off then is on disk, or a visitor's.
const GRACE_MS = 4_000;

let service;
try {
  service = await startService(readConfig(process.env));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

async function stop() {
  setTimeout(() => process.exit(0), GRACE_MS).unref();
  await service.stop();
  process.exit(0);
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
