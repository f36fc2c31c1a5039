/** One turbine of the oracle: its disk, its link, and its lives one after the other, told to the oracle as they are seen from outside. */
import type { KeyObject } from 'node:crypto';
import type { Broker, Bus } from '../../../actors/contracts/bus.ts';
import type { Clock } from '../../../actors/contracts/clock.ts';
import type { Disk } from '../../../actors/contracts/disk.ts';
import { ModelRejected, reasonOf } from '../../../actors/contracts/errors.ts';
import type { Engine, Inference } from '../../../actors/contracts/inference.ts';
import type { DeviceJobs } from '../../../actors/contracts/jobs.ts';
import type { ObjectStore } from '../../../actors/contracts/objects.ts';
import type { Rng } from '../../../actors/contracts/rng.ts';
import type { Millis } from '../../../actors/contracts/units.ts';
import { deviceJobs } from '../../../cloud/jobs/client.ts';
import { type Cut, memoryDisk } from '../../../twins/disk.ts';
import { bootLightDevice, type LightDevice } from '../light-device.ts';
import { type MortalDisk, mortalDisk } from '../mortal-disk.ts';
import { wrongAnswer } from './answers.ts';
import type { FaultCounts } from './chance.ts';
import { type FaultyLink, faultyLink } from './faulty-link.ts';
import type { Committed, Oracle } from './oracle.ts';
import type { Orders } from './orders.ts';

/** What is other than the product has it: a mutant, to see the oracle find it. */
export interface Mutation {
  readonly disk?: (disk: Disk) => Disk;
  readonly jobs?: (jobs: DeviceJobs) => DeviceJobs;
  readonly engine?: (engine: Engine) => Engine;
  readonly trusts?: (keys: readonly KeyObject[], stranger: KeyObject) => readonly KeyObject[];
  readonly judging?: (inference: Inference) => void;
}

export interface DevicePorts {
  readonly thing: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly broker: Broker;
  readonly engine: Engine;
  readonly objects: ObjectStore;
  readonly orders: Orders;
  readonly oracle: Oracle;
  readonly counts: FaultCounts;
  readonly cutAgain: number;
  readonly mutation: Mutation;
}

export interface OracleDevice {
  /** It has come up. */
  readonly isOn: boolean;
  readonly link: FaultyLink;
  boot(): Promise<void>;
  /** Cuts the power at the n-th write from now on; off for `forMs`. */
  cutAt(write: number, how: Cut, forMs: Millis): void;
  /** Its process ends now; there again after `forMs`. @param isLong longer than a job waits for it */
  kill(forMs: Millis, isLong?: boolean): void;
  /** No more cuts. */
  spare(): void;
  close(): Promise<void>;
}

const CANARY_MS = 15_000;
const HOWS: readonly Cut[] = ['before', 'torn', 'after'];
const BOOT_WRITES = 12;
const AGAIN_MS = 40_000; // off at most when it is cut while it boots

export function oracleDevice(ports: DevicePorts): OracleDevice {
  const { thing, clock, rng, broker, objects, orders, oracle, counts, mutation } = ports;
  const carrier: Bus = broker.connect(thing);
  const link = faultyLink(clock, rng.fork('link'), carrier, counts);
  const disk = memoryDisk({
    renamed(to, bytes) {
      if (to === 'active.json') oracle.committed(thing, (JSON.parse(Buffer.from(bytes).toString()) as { committed: Committed }).committed);
    },
  });
  let life = 0;
  let draws = 0;
  let device: LightDevice | null = null;
  let mortal: MortalDisk | null = null;
  let cut: { readonly how: Cut; readonly forMs: Millis } | null = null;
  let isSpared = false;

  /** What it says to the windows that its package was signed with. */
  const probe = async (model: string, inference: Inference): Promise<void> => {
    const mine = life;
    const golden = orders.models.get(model);
    if (!golden) return oracle.isDark(thing, `${model} judges, which nobody may have installed`);
    const wrong = await clock.until(clock.now(), wrongAnswer(inference, golden)).catch(reasonOf);
    if (wrong !== null && mine === life) oracle.isDark(thing, `${model} ${wrong}`);
  };

  const die = (forMs: Millis, isLong = false) => {
    life++;
    mortal?.kill();
    mortal = null;
    cut = null;
    oracle.off(thing, isLong);
    link.drop();
    void device?.halt();
    device = null;
    clock.setTimeout(() => {
      disk.restart();
      if (!isSpared && rng.uniform(draws++) < ports.cutAgain)
        arm(1 + Math.floor(BOOT_WRITES * rng.uniform(draws++)), HOWS[Math.floor(3 * rng.uniform(draws++))], Math.min(forMs, AGAIN_MS));
      void boot();
    }, forMs);
  };

  const arm = (write: number, how: Cut, forMs: Millis) => {
    cut = { how, forMs };
    disk.cutAt(write, how);
  };

  const boot = async (): Promise<void> => {
    const mine = life;
    const isOver = () => life !== mine;
    mortal = mortalDisk(disk, () => {
      if (isOver()) return;
      const { how, forMs } = cut!;
      counts[how]++;
      die(forMs);
    });
    const jobs = deviceJobs(link.connect(), clock);
    const keys = [orders.key.publicKey];
    try {
      const up = await bootLightDevice({
        thing,
        clock,
        disk: mutation.disk?.(mortal) ?? mortal,
        jobs: mutation.jobs?.(jobs) ?? jobs,
        objects,
        engine: mutation.engine?.(ports.engine) ?? ports.engine,
        trustedKeys: mutation.trusts?.(keys, orders.stranger.publicKey) ?? keys,
        first: orders.first,
        canary: (candidate, { signal }) =>
          new Promise((passed, failed) => {
            const timer = clock.setTimeout(() => {
              if (!orders.disagreeing.has(candidate.id)) passed({ decidedBy: 'live', windows: 3 });
              else failed(new ModelRejected(candidate.id, 'it alarms on every window', undefined, 'canary.disagrees'));
            }, CANARY_MS);
            signal.addEventListener('abort', () => {
              clock.clearTimeout(timer);
              failed(signal.reason);
            });
          }),
        judging(model, inference) {
          if (isOver()) return;
          oracle.judges(thing, model, inference);
          mutation.judging?.(inference);
          void probe(model, inference);
        },
      });
      if (isOver()) return void up.halt();
      device = up;
    } catch (error) {
      if (!isOver()) oracle.isDark(thing, reasonOf(error));
    }
  };

  return {
    get isOn() {
      return device !== null;
    },
    link,
    boot,
    cutAt: arm,
    kill(forMs, isLong = false) {
      if (!device) return; // it is off, or boots
      counts[isLong ? 'longOffs' : 'kills']++;
      die(forMs, isLong);
    },
    spare() {
      isSpared = true;
      if (mortal) disk.restart();
    },
    async close() {
      life++;
      mortal?.kill();
      await device?.halt();
      link.drop();
      await carrier.close();
    },
  };
}
