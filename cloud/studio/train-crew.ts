/**
 * The work of training, shared out: a mini-batch is cut into slices of 16 windows, whoever is free takes the next, and the slices'
 * gradients are summed in their order. So the network does not depend on how many take part.
 *
 *   every member:  slices … → barrier → its part of Adam's step → barrier → the next mini-batch
 *
 * All that they share lies in shared memory; a member is a worker thread, or the trainer itself (`inlineCrew`).
 */
import type { Rng } from '../../actors/contracts/rng.ts';
import { adamStep, type Moving } from './adam.ts';
import type { LayeredNetwork } from './layers.ts';
import {
  backward,
  createWorkspace,
  type Dropout,
  forward,
  inputsOf,
  networkOn,
  outputsOf,
  parametersOf,
  squaredErrors,
} from './network.ts';

const SLICE = 16; // windows
const ROOM = 1 << 17; // activations that a member keeps in hand: as many as its cache holds
const [STOP, ABANDONED, TICKET, ARRIVED, GENERATION, CONTROLS] = [0, 1, 2, 3, 4, 5];

/** What the members share: structured clones of it are views of the same memory. */
export interface TrainMemory extends Moving {
  /** Its layers are views of `parameters`. */
  readonly network: LayeredNetwork;
  /** [windows × values] */
  readonly windows: Float32Array;
  /** Windows that train, in the order of the epoch. */
  readonly order: Uint32Array;
  /** Windows that test. */
  readonly checks: Uint32Array;
  /** Sums of squared errors, of `order` and of `checks`. */
  readonly losses: Float64Array;
  readonly checkLosses: Float64Array;
  readonly batch: number;
  readonly dropout: Pick<Dropout, 'rate' | 'after'>;
  readonly control: Int32Array;
}

/** Mini-batches [from, to) of an epoch. */
export interface Leg {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  /** Steps of Adam before it. */
  readonly steps: number;
  readonly learningRate: number;
}

export interface Crew {
  /** @returns the number of the first mini-batch that is not done: `to`, or less when it was stopped. */
  train(leg: Leg, hear: (done: number) => void | Promise<void>): Promise<number>;
  /** Fills `checkLosses`. @returns whether it came to its end. */
  check(): Promise<boolean>;
  /** May be called at any time: what is under way is left as soon as the windows in hand are done, and their mini-batch is forgotten. */
  stop(): void;
  close(): Promise<void>;
}

/** @param chance for dropout */
export type OpenCrew = (memory: TrainMemory, chance: Rng) => Promise<Crew>;

export function createTrainMemory(
  network: LayeredNetwork,
  parts: Pick<TrainMemory, 'batch' | 'dropout'> & {
    readonly windows: readonly Float32Array[];
    readonly trains: number;
    readonly checks: Uint32Array;
  },
): TrainMemory {
  const values = parametersOf(network);
  const parameters = floats(values.length);
  parameters.set(values);
  const windows = floats(parts.windows.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts.windows) {
    windows.set(part, at);
    at += part.length;
  }
  const checks = new Uint32Array(new SharedArrayBuffer(4 * parts.checks.length));
  checks.set(parts.checks);
  return {
    network: networkOn(network, parameters),
    parameters,
    gradients: floats(Math.ceil(parts.batch / SLICE) * parameters.length),
    m: floats(parameters.length),
    v: floats(parameters.length),
    windows,
    order: new Uint32Array(new SharedArrayBuffer(4 * parts.trains)),
    checks,
    losses: new Float64Array(new SharedArrayBuffer(8 * parts.trains)),
    checkLosses: new Float64Array(new SharedArrayBuffer(8 * checks.length)),
    batch: parts.batch,
    dropout: parts.dropout,
    control: new Int32Array(new SharedArrayBuffer(4 * CONTROLS)),
  };
}

const floats = (length: number) => new Float32Array(new SharedArrayBuffer(4 * length));

/** Asks every member to stop. */
export const stopCrew = ({ control }: TrainMemory): void => void Atomics.store(control, STOP, 1);

/** Before work is given out. */
export const readyCrew = ({ control }: TrainMemory): void => void Atomics.store(control, ABANDONED, 0);

export interface Member {
  /** Blocks. */
  train(leg: Leg, hear: (done: number) => void): number;
  check(): boolean;
}

/** One of `crew` members: all of them must be given the same work, in the same order. */
export function createMember(memory: TrainMemory, chance: Rng, me: number, crew: number): Member {
  const { network, parameters, gradients, windows, order, checks, losses, checkLosses, batch, control } = memory;
  const size = inputsOf(network.layers[0]);
  const widths = network.layers.reduce((sum, layer) => sum + outputsOf(layer), size);
  const room = Math.max(1, Math.min(SLICE, Math.floor(ROOM / widths)));
  const workspace = createWorkspace(network, room);
  const count = parameters.length;
  const slices = gradients.length / count;
  const learned = Array.from({ length: slices }, (_, s) => networkOn(network, gradients.subarray(s * count, (s + 1) * count)));
  const [firstOwn, lastOwn] = [Math.floor((count * me) / crew), Math.floor((count * (me + 1)) / crew)];

  const isStopped = () => Atomics.load(control, STOP) === 1;
  const abandon = () => void Atomics.store(control, ABANDONED, 1);
  const isAbandoned = () => Atomics.load(control, ABANDONED) === 1;
  /** Until all are here. */
  const meet = () => {
    const generation = Atomics.load(control, GENERATION);
    if (Atomics.add(control, ARRIVED, 1) + 1 < crew) {
      while (Atomics.load(control, GENERATION) === generation) Atomics.wait(control, GENERATION, generation);
      return;
    }
    Atomics.store(control, ARRIVED, 0);
    Atomics.store(control, TICKET, 0);
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
  };
  /** Calls `work` for every slice of `total` windows that falls to this member. @returns whether all members came through */
  const share = (total: number, work: (slice: number, first: number, last: number) => boolean) => {
    for (let s = Atomics.add(control, TICKET, 1); s * SLICE < total; s = Atomics.add(control, TICKET, 1)) {
      if (work(s, s * SLICE, Math.min(total, (s + 1) * SLICE))) continue;
      abandon();
      break;
    }
    meet();
    return !isAbandoned();
  };
  const load = (indices: Uint32Array, first: number, many: number) => {
    for (let b = 0; b < many; b++) {
      const from = indices[first + b] * size;
      workspace.activations[0].set(windows.subarray(from, from + size), b * size);
    }
  };

  return {
    train({ epoch, from, to, steps, learningRate }, hear) {
      let first = 0; // of the windows in hand, in the epoch's order
      const streams = network.layers.map((_, l) => chance.fork(`epoch ${epoch} layer ${l}`));
      const outputs = network.layers.map(outputsOf);
      const dropout: Dropout = { ...memory.dropout, draw: (l, b, i) => streams[l].uniform((first + b) * outputs[l] + i) };
      for (let k = from; k < to; k++) {
        const begin = k * batch;
        const total = Math.min(batch, order.length - begin);
        const came = share(total, (s, begins, ends) => {
          gradients.fill(0, s * count, (s + 1) * count);
          for (let b = begins; b < ends; b += room) {
            if (isStopped()) return false;
            const many = Math.min(room, ends - b);
            first = begin + b;
            load(order, first, many);
            forward(network, workspace, many, dropout);
            squaredErrors(network, workspace, many, losses, first);
            backward(network, workspace, many, 1 / (total * size), learned[s], dropout);
          }
          return true;
        });
        if (!came) return k;
        adamStep(memory, firstOwn, lastOwn, Math.ceil(total / SLICE), steps + k - from + 1, learningRate);
        meet();
        hear(k + 1);
      }
      return to;
    },
    check() {
      return share(checks.length, (_, begins, ends) => {
        for (let b = begins; b < ends; b += room) {
          if (isStopped()) return false;
          const many = Math.min(room, ends - b);
          load(checks, b, many);
          forward(network, workspace, many);
          squaredErrors(network, workspace, many, checkLosses, b);
        }
        return true;
      });
    },
  };
}

/** The caller's own thread: it is heard again after each mini-batch, when `hear` resolves. */
export const inlineCrew: OpenCrew = async (memory, chance) => {
  const member = createMember(memory, chance, 0, 1);
  return {
    async train(leg, hear) {
      readyCrew(memory);
      for (let k = leg.from; k < leg.to; k++) {
        if (member.train({ ...leg, from: k, to: k + 1, steps: leg.steps + k - leg.from }, () => {}) === k) return k;
        await hear(k + 1);
      }
      return leg.to;
    },
    async check() {
      readyCrew(memory);
      return member.check();
    },
    stop: () => stopCrew(memory),
    async close() {},
  };
};
