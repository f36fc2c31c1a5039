/**
 * A worker thread: some rows of each group of twins, with a session of their own for each model. It runs as far as the fleet allows, and
 * sleeps.
 */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Inference, ModelSource } from '../../actors/contracts/inference.ts';
import type { LoadedModel, RollUp, RowOrder, RowReport } from '../../actors/contracts/shard.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { openShard, type Shard } from '../../actors/dataplane/shard.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { twinBacking } from '../../twins/backing.ts';
import { type MeteredTwins, meteredTwins } from '../../twins/energy-meter.ts';
import { sampledThrough } from '../../twins/faults/samples.ts';
import type { TwinMachine } from '../../twins/library/machines.ts';
import { createRng } from '../../twins/rng.ts';
import { type PackedWind, unpackWind } from '../../twins/wind/packed.ts';
import { ring, ringWriter, Word, WORTH_WAKING } from './ring.ts';
import { threadSeconds } from './thread-time.ts';
import { type FromWorker, kindOf, TICK_MS, type ToWorker, type WireOrder, type WorkerStart } from './wire.ts';

const { port, seed, isMetered, groups, ...memory } = workerData as WorkerStart<TwinMachine, PackedWind>;
const control = new Int32Array(memory.control);
const writer = ringWriter(memory);
const engine = onnxEngine({ arch: process.arch });
const widths: number[] = []; // channels of each group
const meters: MeteredTwins[] = [];
const shards: readonly Shard[] = groups.map(({ rows, things, machine, wind, layout }) => {
  const rng = createRng(seed);
  const twin = twinBacking({ things, rows, machine, wind: unpackWind(wind), rng, ...(layout ? { layout } : {}) });
  const meter = isMetered ? meteredTwins(twin, machine) : null;
  if (meter) meters.push(meter);
  const backing = sampledThrough(meter?.twins ?? twin, twin.faults, rng);
  widths.push(backing.channels.length);
  return openShard(backing, { waits: true, faults: backing.breaking });
});
const models = new Map<number, LoadedModel>();
const numbers = new Map<LoadedModel, number>();
const questions = new Map<number, (answer: Extract<ToWorker, { say: 'answer' }>) => void>();
const drops: { readonly at: number; readonly model: number }[] = [];
let asked = 0;
let closing = false;
let sleptMs = 0;
let tick = 0;

const say = (message: FromWorker): void => port.postMessage(message);

function hear(message: ToWorker): void {
  switch (message.say) {
    case 'order':
      shards[message.group].order(message.at, orderOf(message.order));
      return;
    case 'model': {
      const { model: number, id, digest, manifest, source } = message;
      const loaded = source && engine.load(source.manifest, source.network, source.golden);
      loaded?.catch(() => {}); // who asks it is told
      const model: LoadedModel = {
        id,
        digest,
        manifest,
        inference: source && loaded ? whenLoaded(id, source, loaded) : elsewhere(id, number),
      };
      models.set(number, model);
      numbers.set(model, number);
      return;
    }
    case 'drop':
      drops.push({ at: tick, model: message.model });
      return;
    case 'answer':
      questions.get(message.question)?.(message);
      questions.delete(message.question);
      return;
    case 'usage':
      say({ say: 'usage', cpuSeconds: cpuSeconds(), energy: meters.flatMap(({ accounts }) => accounts()) });
      return;
    case 'close':
      closing = true;
      for (const [question, refuse] of questions) refuse({ say: 'answer', question, scores: null, reason: 'the run has ended' });
  }
}

function orderOf(order: WireOrder): RowOrder {
  if (order.ask === 'use') return { ...order, model: order.model === null ? null : models.get(order.model)! };
  if (order.ask === 'try' || order.ask === 'replace') return { ...order, model: models.get(order.model)! };
  return order;
}

/** A model whose session is still being made. */
const whenLoaded = (model: string, source: ModelSource, loaded: Promise<Inference>): Inference => ({
  model,
  source,
  predict: async (windows, batch, scores) => (await loaded).predict(windows, batch, scores),
  close: async () => (await loaded).close(),
});

/** A model that only the fleet's own thread can ask. */
const elsewhere = (id: string, model: number): Inference => ({
  model: id,
  predict: (windows, batch, scores) =>
    new Promise((resolve, reject) => {
      const question = ++asked;
      questions.set(question, (answer) => {
        if (!answer.scores) return reject(new Error(answer.reason));
        scores.set(answer.scores);
        resolve();
      });
      say({ say: 'predict', question, model, windows: windows.slice(), batch });
    }),
  close: async () => {},
});

const cpuSeconds = () => Math.round(threadSeconds(() => (performance.now() - sleptMs) / 1_000) * 1e3) / 1e3;

const rollUpValues = ({ values, offset }: RollUp, group: number) => values.subarray(offset, offset + 4 * widths[group]);

function tell(reports: readonly RowReport[], group: number): void {
  for (const report of reports) {
    const { row } = report;
    const kind = kindOf(report.tell);
    switch (report.tell) {
      case 'judged':
        writer.write(
          kind,
          tick,
          group,
          row,
          [numbers.get(report.model)!, report.at, report.announced ? 1 : 0, report.turned ? 1 : 0],
          report.scores,
        );
        break;
      case 'rollUp':
        writer.write(kind, tick, group, row, [report.rollUp.spanMs], rollUpValues(report.rollUp, group));
        break;
      case 'sample':
        writer.write(kind, tick, group, row, report.values);
        break;
      case 'failed':
        say({ say: 'failed', cause: report.cause });
        writer.write(kind, tick, group, row, [numbers.get(report.model)!]);
        break;
      case 'tried':
        say({ say: 'tried', result: report.result, reason: report.reason });
        writer.write(kind, tick, group, row, [report.trial]);
        break;
      case 'swapped':
        writer.write(kind, tick, group, row, [numbers.get(report.model)!]);
        break;
      default:
        writer.write(kind, tick, group, row);
    }
  }
}

/** One tick of all rows. */
async function run(now: Millis): Promise<void> {
  for (const [group, shard] of shards.entries()) {
    const reports: RowReport[] = [];
    const waiting = shard.tick(now, reports);
    if (waiting) await waiting;
    tell(reports, group);
  }
}

/** Closes models that nobody uses any more, once the orders that said so are surely in force. */
function dropIdle(): void {
  while (drops.length > 0 && drops[0].at < tick - SURELY) {
    const { model } = drops.shift()!;
    const loaded = models.get(model);
    models.delete(model);
    if (!loaded) continue;
    numbers.delete(loaded);
    loaded.inference.close().catch(() => {});
  }
}
const SURELY = 200; // ticks

function hearAll(from: MessagePort): void {
  for (let got = receiveMessageOnPort(from); got; got = receiveMessageOnPort(from)) hear(got.message as ToWorker);
}

/** Sleeps until it may run on or something has been posted. */
function sleep(horizon: number, posted: number): void {
  const bell = Atomics.load(control, Word.bell);
  Atomics.store(control, Word.asleep, 1);
  if (Atomics.load(control, Word.horizon) < horizon + WORTH_WAKING && Atomics.load(control, Word.posted) === posted) {
    const since = performance.now();
    Atomics.wait(control, Word.bell, bell);
    sleptMs += performance.now() - since;
  }
  Atomics.store(control, Word.asleep, 0);
}

async function main(): Promise<void> {
  port.on('message', hear); // answers come while a tick waits for them
  say({ say: 'ready' });
  let heard = -1;
  while (!closing) {
    const horizon = Atomics.load(control, Word.horizon); // before what was posted: orders up to it are among that
    const posted = Atomics.load(control, Word.posted);
    if (posted !== heard) {
      hearAll(port);
      heard = posted;
    }
    if (tick < horizon) {
      await run(++tick * TICK_MS);
      Atomics.store(control, Word.done, tick);
      const awaited = Atomics.load(control, Word.awaited);
      if (awaited > 0 && awaited <= tick) ring(control, Word.told);
      dropIdle();
    } else if (!closing) sleep(horizon, posted);
  }
  for (const { inference } of models.values()) await inference.close().catch(() => {});
  port.close();
}

await main();
