/** One real turbine's process: its serial line, the same actor, model and reports as a twin's, and a cloud somewhere else. */
import { createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleFleet } from '../actors/assemble.ts';
import { localShard } from '../actors/dataplane/local.ts';
import type { Clock } from '../actors/contracts/clock.ts';
import { isThingName, modelId } from '../actors/contracts/ids.ts';
import { NotFound, RemoteRefused, UsageError } from '../actors/contracts/errors.ts';
import type { InferenceChoice } from '../actors/contracts/inference.ts';
import type { Log } from '../actors/contracts/log.ts';
import { HOME_FLEET } from '../actors/contracts/model.ts';
import { onnxEngine } from '../actors/inference/onnx.ts';
import { openSlots } from '../actors/ota/slots.ts';
import { childProver } from '../actors/inference/proof/prover.ts';
import { mqttBus } from '../cloud/bus/mqtt.ts';
import { openApi } from '../cloud/cli/api.ts';
import { deviceJobs } from '../cloud/jobs/client.ts';
import type { PublishedModel } from '../cloud/models/catalogue.ts';
import { FIRST_MODELS } from '../cloud/models/starter.ts';
import { httpObjects } from '../cloud/objects/http.ts';
import { createRng } from '../twins/rng.ts';
import { driverBacking } from './backing.ts';
import { fileDisk } from './disk.ts';
import type { EdgeConfig } from './edge-config.ts';
import { proMini } from './drivers/pro-mini.ts';
import { type SerialLines, serialLines } from './drivers/serial-port.ts';
import { originalNoise } from './noise.ts';
import { wallClock } from './wall-clock.ts';

export interface EdgeOptions {
  readonly thing: string;
  readonly serial: string;
  /** The console's address; it names the broker. */
  readonly cloud: string;
  readonly data: string;
  readonly injectNoise: boolean;
  readonly inference: InferenceChoice;
  /** Where and with which certificate it connects; absent: without TLS, where the cloud says. */
  readonly mtls?: Pick<EdgeConfig, 'mqtt' | 'tls'>;
}

export interface EdgeTools {
  readonly signal: AbortSignal;
  readonly out: (text: string) => void;
  readonly log: Log;
}

/** Runs until the signal aborts. @throws UsageError, EnvironmentLacking, RemoteRefused, VerificationRefused */
export async function runEdge(options: EdgeOptions, tools: EdgeTools): Promise<void> {
  const { thing, serial } = options;
  if (!isThingName(thing)) throw new UsageError(`--thing ${thing} is no name of a thing: 1 to 128 of letters, digits, : _ -`);
  const clock = wallClock();
  const lines = await serialLines({ path: serial, clock, log: tools.log });
  try {
    await runOn(lines, options, clock, tools);
  } finally {
    lines.close();
  }
}

async function runOn(
  lines: SerialLines,
  { thing, serial, cloud, data, injectNoise, inference, mtls }: EdgeOptions,
  clock: Clock,
  { log, signal, out }: EdgeTools,
): Promise<void> {
  const api = openApi(cloud);
  const trustedKeys = [createPublicKey(await pinnedKey(api, data))];
  const url = mtls?.mqtt ?? (await brokerUrl(api, data, log));
  const disk = fileDisk(join(data, 'device'));
  // Once it has a model it watches its turbine, whether or not anyone hears of it: power may come back before the network does.
  const mayBeAway = (await openSlots(disk, trustedKeys, log).committed()) !== null;
  const bus = await mqttBus({ url, clientId: thing, log, mayBeAway, ...(mtls ? { tls: mtls.tls } : {}) });
  const objects = httpObjects(cloud);
  const adjust = injectNoise ? { adjust: originalNoise(createRng(1).fork(thing)) } : {};
  const backing = driverBacking({ thing, kind: 'serial', driver: proMini(lines), clock, log, ...adjust });

  const fleet = await assembleFleet([{ ...backing, shards: [localShard(backing, { waits: false })], reactionMs: 0 }], {
    clock,
    log,
    events: { append: ({ kind, what }) => log.debug({ kind, ...what }, 'event') },
    bus,
    jobs: deviceJobs(bus, clock),
    objects,
    engine:
      inference.kind === 'agent'
        ? (await import('./agent/client.ts')).agentEngine(inference.socket, () => clock.epoch + clock.now())
        : onnxEngine({ arch: process.arch }),
    prover: inference.kind === 'agent' ? null : childProver(),
    disk: () => disk,
    trustedKeys,
    fleet: HOME_FLEET,
    captures: null, // a cloud behind the console only gives objects
    async firstModel(machine) {
      const id = FIRST_MODELS.get(machine);
      if (id === undefined) return null;
      const models = await api.get<PublishedModel[]>('/api/models');
      const first = models.find(({ name, version }) => modelId(name, version) === id);
      if (!first) throw new NotFound(`${cloud} has not published ${id}`);
      const chunks: Uint8Array[] = [];
      for await (const chunk of objects.get(first.bucket, first.key, { signal })) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
  }).catch(async (error: unknown) => {
    await backing.close(); // else its line keeps a failed process alive
    await bus.close();
    throw error;
  });
  out(`${thing}: ${serial} → ${url.replace('mqtt://', '')}. Ctrl-C ends it.`);
  await new Promise<void>((ended) => (signal.aborted ? ended() : signal.addEventListener('abort', () => ended(), { once: true })));
  await fleet.close();
  await bus.close();
}

/** Where the cloud says its broker is, or said last when it does not answer. @throws RemoteRefused */
async function brokerUrl(api: ReturnType<typeof openApi>, data: string, log: Log): Promise<string> {
  const file = join(data, 'broker');
  try {
    const url = `mqtt://${(await api.get<{ mqtt: string }>('/endpoint?endpointType=iot:Data-ATS')).mqtt}`;
    writeFileSync(file, url, { mode: 0o600 });
    return url;
  } catch (error) {
    if (!(error instanceof RemoteRefused) || !existsSync(file)) throw error;
    log.warn({ reason: error.message }, 'the cloud does not answer: its broker is looked for where it was');
    return readFileSync(file, 'utf8');
  }
}

/** The key of the cloud's packages: taken from it at the first start, and only this one from then on. */
async function pinnedKey(api: ReturnType<typeof openApi>, data: string): Promise<string> {
  const file = join(data, 'trusted.pub.pem');
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const [key] = await api.get<{ pem: string }[]>('/api/keys');
  if (!key) throw new RemoteRefused('the cloud names no key for its packages');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  writeFileSync(file, key.pem, { mode: 0o600 });
  return key.pem;
}
