/**
 * N updates over M turbines in virtual time, through power cuts at random writes, kills, lost, doubled and overtaken messages, a job
 * service that dies and stores that fail; judged by the oracle. In groups that share a job service and a broker: what is checked is a
 * turbine's, and a group's memory is free when it is over.
 */
import type { Engine, Inference } from '../../../actors/contracts/inference.ts';
import { JobRefused, StoreUnavailable } from '../../../actors/contracts/errors.ts';
import { MODEL_BUCKET } from '../../../actors/contracts/objects.ts';
import { onnxEngine } from '../../../actors/inference/onnx.ts';
import { sharedEngine } from '../../../actors/inference/shared.ts';
import { openModel } from '../../../actors/package/package.ts';
import { memoryBroker } from '../../../cloud/bus/memory.ts';
import type { JobStore } from '../../../cloud/jobs/store.ts';
import { createRng } from '../../../twins/rng.ts';
import { VirtualClock } from '../../../twins/time/virtual-clock.ts';
import { type Chances, type FaultCounts, noFaults, USUAL } from './chance.ts';
import { type Mutation, oracleDevice } from './device.ts';
import { brokenReads, disturb } from './disturb.ts';
import { type MortalJobs, mortalJobs } from './mortal-jobs.ts';
import { createOracle, type Oracle, type Violation } from './oracle.ts';
import { type Orders, prepareOrders } from './orders.ts';

export interface UpdatesOptions {
  readonly updates: number;
  readonly turbines: number;
  readonly seed: number;
  /** Turbines that share a job service. */
  readonly group?: number;
  readonly chances?: Chances;
  /** Of so many threads this one does each so many-th group; the result is the same however many there are. */
  readonly part?: { readonly mine: number; readonly of: number };
  readonly mutation?: Mutation & { readonly store?: (store: JobStore) => JobStore };
  /** Told after each group how many updates it had. */
  readonly said?: (updates: number) => void;
}

export interface UpdatesFigures {
  updates: number;
  turbines: number;
  /** Orders of good packages. */
  good: number;
  /** Orders of bad ones, by the way in which they are. */
  readonly bad: Record<string, number>;
  readonly faults: FaultCounts;
  /** The first of them; none is as it should be. */
  readonly violations: Violation[];
  simulatedMs: number;
}

export const noFigures = (): UpdatesFigures => ({
  updates: 0,
  turbines: 0,
  good: 0,
  bad: {},
  faults: noFaults(),
  violations: [],
  simulatedMs: 0,
});

const ROUND_MS = 90_000;
const AGAIN = { criteriaList: [{ failureType: 'TIMED_OUT', numberOfRetries: 10 }] } as const;
const CREATE_AGAIN_MS = 1_000;
const PATIENCE_MS = 2 * 3_600_000; // after the last order, for what is left: then it is stuck
const LOOK_MS = 20_000;

/** Ends after the first group that violates something. */
export async function runUpdates(options: UpdatesOptions): Promise<UpdatesFigures> {
  const { updates, turbines, seed, group = 50, part = { mine: 0, of: 1 }, said = () => {} } = options;
  const rounds = Math.ceil(updates / turbines);
  const orders = await prepareOrders(rounds + 1);
  const shared = sharedEngine(onnxEngine({ arch: process.arch }));
  const kept = await keepLoaded(shared, orders, rounds + 1);
  const total = noFigures();
  let ordered = 0;
  for (let g = 0; g * group < turbines && total.violations.length === 0; g++) {
    const size = Math.min(group, turbines - g * group);
    const share = Math.min(updates - ordered, size * rounds);
    ordered += share;
    if (g % part.of !== part.mine) continue;
    await runGroup({ ...options, orders, shared, size, share, rounds, first: g * group, seed: seed * 100_003 + g, total });
    said(share);
  }
  for (const inference of kept) await inference.close();
  return total;
}

interface Group extends UpdatesOptions {
  readonly orders: Orders;
  readonly shared: Engine;
  readonly size: number;
  /** Of the updates. */
  readonly share: number;
  readonly rounds: number;
  /** Number of its first turbine. */
  readonly first: number;
  readonly total: UpdatesFigures;
}

async function runGroup({ orders, shared, size, share, rounds, first, seed, chances = USUAL, mutation = {}, total }: Group): Promise<void> {
  const clock = new VirtualClock();
  const rng = createRng(seed);
  const oracle = createOracle();
  const broker = memoryBroker(() => clock.epoch + clock.now());
  const counts = total.faults;
  const jobs = await mortalJobs({
    clock,
    broker,
    changed: oracle.changed,
    ...(mutation.store ? { store: mutation.store } : {}),
  });
  const objects = brokenReads(orders.objects, rng.fork('reads'), chances.brokenRead, counts);
  const engine = watchedEngine(shared, oracle.released);
  const things = Array.from({ length: size }, (_, i) => `T-${String(first + i).padStart(6, '0')}`);
  const devices = things.map((thing) =>
    oracleDevice({
      thing,
      clock,
      rng: rng.fork(thing),
      broker,
      engine,
      objects,
      orders,
      oracle,
      counts,
      cutAgain: chances.cutAgain,
      mutation,
    }),
  );
  for (const device of devices) void device.boot();
  await clock.run(1_000);

  let left = share;
  for (let round = 0; round < rounds; round++) {
    const dice = rng.fork(`round ${round}`);
    const chosen = things.slice(0, Math.min(size, left));
    left -= chosen.length;
    const byKind = new Map<string, string[]>();
    chosen.forEach((thing, i) => {
      const bad = dice.uniform(3 * i) < chances.bad;
      const kind = bad ? orders.kinds[1 + Math.floor((orders.kinds.length - 1) * dice.uniform(3 * i + 1))] : 'good';
      byKind.set(kind, [...(byKind.get(kind) ?? []), thing]);
    });
    disturb(devices, jobs, { clock, rng: dice.fork('faults'), chances, counts, withinMs: ROUND_MS });
    for (const [kind, targets] of byKind) {
      const { document, deserves } = orders.order(kind, round + 2);
      const jobId = `r${round}-${kind.replace(' ', '-')}`;
      for (const thing of targets) oracle.ordered(thing, jobId, deserves);
      void create(jobs, clock, {
        jobId,
        things: targets,
        targets,
        document,
        jobExecutionsRetryConfig: AGAIN,
        inProgressTimeoutInMinutes: 240,
      });
      targets.forEach((thing, i) => {
        const dies = dice.fork(`${jobId} withdrawn`);
        if (dies.uniform(2 * i) < chances.withdrawn)
          clock.setTimeout(() => void withdraw(jobs, oracle, thing, jobId, counts), 0.5 * ROUND_MS * dies.uniform(2 * i + 1));
      });
      if (kind === 'good') total.good += targets.length;
      else total.bad[kind] = (total.bad[kind] ?? 0) + targets.length;
    }
    await clock.run(clock.now() + ROUND_MS * (0.2 + 1.6 * dice.fork('pause').uniform(0)));
  }

  for (const device of devices) {
    device.spare();
    device.link.trouble(null);
  }
  jobs.failCommits(0);
  const isAtWork = () => oracle.open > 0 || devices.some(({ isOn }) => !isOn);
  for (const end = clock.now() + PATIENCE_MS; isAtWork() && clock.now() < end; ) await clock.run(clock.now() + LOOK_MS);
  await clock.run(clock.now() + LOOK_MS);
  await oracle.close(async (thing) => (await jobs.service().executionsOfThing(thing)).items);
  total.violations.push(...oracle.violations);
  total.updates += share;
  total.turbines += size;
  total.simulatedMs += clock.now();
  await jobs.close();
  for (const device of devices) await device.close();
  await broker.close();
}

/** Again and again until the service has it. */
async function create(
  jobs: MortalJobs,
  clock: VirtualClock,
  job: Parameters<ReturnType<MortalJobs['service']>['create']>[0],
): Promise<void> {
  try {
    await jobs.service().create(job);
  } catch (error) {
    if (error instanceof JobRefused && error.reason === 'ResourceAlreadyExists') return;
    if (!(error instanceof StoreUnavailable)) throw error;
    clock.setTimeout(() => void create(jobs, clock, job), CREATE_AGAIN_MS);
  }
}

/** An operator takes an execution back. Whoever is answered that it is too late, or not at all, has changed nothing. */
async function withdraw(jobs: MortalJobs, oracle: Oracle, thing: string, jobId: string, counts: FaultCounts): Promise<void> {
  oracle.withdrawn(thing, jobId, true);
  try {
    await jobs.service().cancelExecution(thing, jobId, { force: true });
    counts.withdrawn++;
  } catch (error) {
    if (!(error instanceof JobRefused || error instanceof StoreUnavailable)) throw error;
    oracle.withdrawn(thing, jobId, false);
  }
}

/** Tells when a loaded model is let go. */
const watchedEngine = (engine: Engine, released: (handle: object) => void): Engine => ({
  async load(...what) {
    const loaded = await engine.load(...what);
    const handle: Inference = {
      ...loaded,
      close() {
        released(handle);
        return loaded.close();
      },
    };
    return handle;
  },
});

/** A session of each good version stays open, so that no turbine's boot makes one anew. */
async function keepLoaded(engine: Engine, orders: Orders, most: number): Promise<Inference[]> {
  const packages = [orders.first];
  for (let n = 2; n <= most; n++) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of orders.objects.get(MODEL_BUCKET, `light/good-${n}.tar.gz`)) chunks.push(chunk);
    packages.push(Buffer.concat(chunks));
  }
  return Promise.all(
    packages.map((bytes) => {
      const { manifest, network, golden, files } = openModel(bytes, { trustedKeys: [orders.key.publicKey] });
      return engine.load(manifest, network, golden, files);
    }),
  );
}
