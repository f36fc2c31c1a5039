/**
 * A process to be killed: many devices, each with a folder that is synced, a connection by MQTT and an update of its own. What can be
 * seen from outside of the product's code goes into a journal, a line each, before or after it happens:
 *
 *   boot      what the pointer says before anything of the product has run
 *   intent    the pointer is about to get its name;  pointer: it has
 *   report    a report is about to get its name in the outbox
 *   judges    a model judges from now on
 *   dark      a device has none, or one that answers wrong things, or it was let go
 *
 *   node host.js <config.json>
 */
import { createPublicKey } from 'node:crypto';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bus } from '../../../actors/contracts/bus.ts';
import type { Disk } from '../../../actors/contracts/disk.ts';
import { ModelRejected, RemoteRefused, reasonOf } from '../../../actors/contracts/errors.ts';
import type { Inference } from '../../../actors/contracts/inference.ts';
import { silentLog } from '../../../actors/contracts/log.ts';
import type { GoldenSamples } from '../../../actors/contracts/model.ts';
import { onnxEngine } from '../../../actors/inference/onnx.ts';
import { sharedEngine } from '../../../actors/inference/shared.ts';
import { mqttBus } from '../../../cloud/bus/mqtt.ts';
import { deviceJobs } from '../../../cloud/jobs/client.ts';
import { httpObjects } from '../../../cloud/objects/http.ts';
import { fileDisk } from '../../../physical/disk.ts';
import { wallClock } from '../../../physical/wall-clock.ts';
import { bootLightDevice } from '../light-device.ts';
import { wrongAnswer } from './answers.ts';
import type { Committed } from './oracle.ts';

export interface HostConfig {
  /** Of the console. */
  readonly url: string;
  /** `host:port` */
  readonly mqtt: string;
  readonly folder: string;
  readonly journal: string;
  readonly things: readonly string[];
  /** PEM of the key that is trusted. */
  readonly key: string;
  /** Base64 of the package that devices start with. */
  readonly first: string;
  readonly answers: Readonly<Record<string, GoldenSamples>>;
  /** Models whose canary finds that they disagree. */
  readonly disagreeing: readonly string[];
  /** A device that is not as the product has it. */
  readonly mutant: 'pointer twice' | null;
}

export type JournalLine =
  | { readonly kind: 'start' }
  | { readonly kind: 'boot' | 'intent'; readonly thing: string; readonly committed: Committed | null }
  | { readonly kind: 'pointer'; readonly thing: string }
  | { readonly kind: 'report'; readonly thing: string; readonly report: SaidReport }
  | { readonly kind: 'judges'; readonly thing: string; readonly model: string }
  | { readonly kind: 'dark'; readonly thing: string; readonly why: string };

export interface SaidReport {
  readonly jobId: string;
  readonly executionNumber: number;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'REJECTED';
  readonly statusDetails: Readonly<Record<string, string>>;
}

const CANARY_MS = 50;
const POINTER = 'active.json';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8')) as HostConfig;
const journal = openSync(config.journal, 'a');
const note = (line: JournalLine) => writeSync(journal, `${JSON.stringify(line)}\n`);
const clock = wallClock();
const engine = sharedEngine(onnxEngine({ arch: process.arch }));
const objects = httpObjects(config.url);
const trustedKeys = [createPublicKey(config.key)];
const first = Buffer.from(config.first, 'base64');
const disagreeing = new Set(config.disagreeing);

note({ kind: 'start' });
await Promise.all(config.things.map(boot));
process.stdout.write('up\n');

async function boot(thing: string): Promise<void> {
  const disk = seenDisk(thing, fileDisk(join(config.folder, thing)));
  note({ kind: 'boot', thing, committed: committedIn(await disk.read(POINTER)) });
  let serving: Inference | null = null;
  try {
    await bootLightDevice({
      thing,
      clock,
      disk,
      jobs: deviceJobs(await connect(thing), clock),
      objects,
      engine: {
        async load(...what) {
          const loaded = await engine.load(...what);
          const handle: Inference = {
            ...loaded,
            close() {
              if (serving === handle) note({ kind: 'dark', thing, why: `${handle.model} was let go while it judged` });
              return loaded.close();
            },
          };
          return handle;
        },
      },
      trustedKeys,
      first,
      canary: async (candidate) => {
        await wait(CANARY_MS);
        if (disagreeing.has(candidate.id))
          throw new ModelRejected(candidate.id, 'it alarms on every window', undefined, 'canary.disagrees');
        return { decidedBy: 'live', windows: 3 };
      },
      judging(model, inference) {
        serving = inference;
        note({ kind: 'judges', thing, model });
        const golden = config.answers[model];
        if (!golden) return void note({ kind: 'dark', thing, why: `${model} judges, which nobody may have installed` });
        wrongAnswer(inference, golden)
          .catch(reasonOf)
          .then((wrong) => {
            if (wrong !== null && serving === inference) note({ kind: 'dark', thing, why: `${model} ${wrong}` });
          });
      },
    });
  } catch (error) {
    note({ kind: 'dark', thing, why: reasonOf(error) });
  }
}

/** The broker may be down just now. */
async function connect(thing: string): Promise<Bus> {
  for (;;)
    try {
      return await mqttBus({ url: `mqtt://${config.mqtt}`, clientId: thing, log: silentLog, reconnectMs: 200 });
    } catch (error) {
      if (!(error instanceof RemoteRefused)) throw error;
      await wait(200);
    }
}

function seenDisk(thing: string, disk: Disk): Disk {
  return {
    ...disk,
    async rename(from, to) {
      if (to.startsWith('outbox/')) note({ kind: 'report', thing, report: JSON.parse(String(Buffer.from((await disk.read(from))!))) });
      if (to !== POINTER) return disk.rename(from, to);
      const bytes = await disk.read(from);
      const isDoubled = config.mutant === 'pointer twice' && committedIn(bytes)?.jobId;
      for (let times = isDoubled ? 2 : 1; times > 0; times--) {
        note({ kind: 'intent', thing, committed: committedIn(bytes) });
        if (times === 1) await disk.rename(from, to);
        else await disk.write(to, bytes!);
        note({ kind: 'pointer', thing });
      }
    },
  };
}

function committedIn(bytes: Uint8Array | null): Committed | null {
  return bytes ? (JSON.parse(Buffer.from(bytes).toString()) as { committed: Committed }).committed : null;
}
