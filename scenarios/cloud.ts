/** `windfleet cloud`: services and console without a farm, until it is told to end. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CloudOptions } from '../cloud/config.ts';
import { DEFAULT_PLACE } from '../cloud/things/arns.ts';
import { secretFolder } from '../cloud/things/authority.ts';
import { openOwnerKey } from '../cloud/things/credentials.ts';
import type { AccessKey } from '../cloud/things/ports.ts';
import { wallClock } from '../physical/wall-clock.ts';
import { addressIn, lockFolder } from './data-folder.ts';
import { createRunLog } from './digest.ts';
import { addressLines, type Doors, openDoors } from './doors.ts';
import type { UpTools } from './up.ts';
import { type Cloud, openCloud } from './services.ts';

const HOST = '127.0.0.1';

/** Runs until the signal aborts; everything is closed and flushed when it resolves. */
export async function runCloud(options: CloudOptions, { signal, out, log }: UpTools): Promise<void> {
  const clock = wallClock();
  const isKept = options.profile !== 'memory';
  const data = isKept ? options.data : mkdtempSync(join(tmpdir(), 'windfleet-cloud-'));
  const lock = lockFolder(data);
  let cloud: Cloud | null = null;
  let doors: Doors | null = null;
  try {
    const index = { choice: options.index, credentials: options.indexCredentials };
    const { objects, mqttPort, mqttsPort } = options;
    const jobs = { strict: options.strictJobs, quotas: options.jobQuotas };
    const ports = { kind: 'demo', data, host: HOST, mqttPort, mqttsPort, objects, index, jobs, rules: options.rules } as const;
    cloud = await openCloud(ports, { clock, log, events: createRunLog({ keep: false }) });
    doors = await openDoors(cloud, {
      host: HOST,
      port: options.port,
      httpsPort: options.httpsPort,
      log,
      wall: clock,
      faults: null,
      site: null,
    });
    lock.answersAt(doors.url);
    const known = cloud.registry.things().length;
    out(`windfleet cloud: ${known} ${known === 1 ? 'thing' : 'things'}`);
    for (const line of addressLines(cloud, doors)) out(line);
    for (const line of environmentLines(doors.url, cloud.things.credentials.owner)) out(line);
    out('Ctrl-C ends it.');
    await new Promise<void>((ended) => (signal.aborted ? ended() : signal.addEventListener('abort', () => ended(), { once: true })));
  } finally {
    await doors?.close();
    await cloud?.close();
    lock.unlock();
    if (!isKept) rmSync(data, { recursive: true, force: true });
  }
}

/**
 * What a shell needs to talk to the cloud of a data folder, whether it runs or not. Keys are made when there are none yet.
 * @throws VerificationRefused when the keys cannot be used
 */
export function printEnvironment({ data, port }: Pick<CloudOptions, 'data' | 'port'>): readonly string[] {
  const owner = openOwnerKey(secretFolder(join(data, 'keys')), (bytes) => randomBytes(bytes));
  return environmentLines(addressIn(data) ?? `http://${HOST}:${port}`, owner);
}

const environmentLines = (url: string, { accessKeyId, secretAccessKey }: AccessKey) => [
  `export AWS_ENDPOINT_URL=${url}`,
  `export AWS_REGION=${DEFAULT_PLACE.region}`,
  `export AWS_ACCESS_KEY_ID=${accessKeyId}`,
  `export AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
];
