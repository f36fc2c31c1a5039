/**
 * The faults at work on a twin's rows. Each tick they turn the body's handles in the order of the machine's catalogue, whatever the
 * order in which they were injected; sensor faults then distort the sample.
 */
import { Quality, type SampleBlock } from '../../actors/contracts/backing.ts';
import { didYouMean, FaultRefused } from '../../actors/contracts/errors.ts';
import type { ActiveFault, FaultKind, FaultOrder } from '../../actors/contracts/faults.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { severityAt } from './life.ts';
import type { FaultModel } from './model.ts';

export interface FaultBoard {
  readonly catalogue: readonly FaultKind[];
  /** A fault of the same name and channel is replaced. @throws FaultRefused when the machine has no such fault or channel */
  inject(row: number, order: FaultOrder, now: Millis): void;
  /** @returns how many ended. */
  clear(row: number, fault?: string): number;
  active(): readonly ActiveFault[];
  /** The severities as they stand at the last tick: ground truth for whoever evaluates, never for a detector. */
  truth(row: number): readonly { readonly fault: string; readonly severity: number }[];
  /** Turns the handles of all rows for the tick that ends at `now`. */
  apply(now: Millis, step: number): void;
  /** Distorts the readings of a sample. */
  distort(block: SampleBlock): void;
}

/** The body's handles, and where a row's are among them. */
export interface HandleSeats<Handles> {
  readonly handles: Handles;
  /** For a row that has faults. */
  seat(row: number): number;
  setAtRest(row: number): void;
}

interface Running<Handles> extends ActiveFault {
  readonly model: FaultModel<Handles>;
  readonly rank: number;
  readonly chance: Rng;
  severityNow: number;
  /** Of the distorted channel; NaN until the first sample. */
  held: number;
}

/** @param streamOf a row's own chance */
export function createFaultBoard<Handles>(
  machine: string,
  models: readonly FaultModel<Handles>[],
  channels: SampleBlock['channels'],
  things: readonly ThingName[],
  streamOf: (row: number) => Rng,
  { handles, seat, setAtRest }: HandleSeats<Handles>,
): FaultBoard {
  const running = new Map<number, Running<Handles>[]>();
  let lastStep = 0;

  const keep = (row: number, faults: Running<Handles>[]) => {
    if (faults.length > 0) running.set(row, faults);
    else running.delete(row);
    setAtRest(row);
  };
  const channelOf = (order: FaultOrder, model: FaultModel<Handles>): number => {
    if (!('distort' in model)) {
      if (order.channel !== undefined) throw new FaultRefused(`${order.fault} is a fault of the body: it takes no channel`);
      return -1;
    }
    const name = order.channel ?? sensorChannel(models);
    const index = channels.findIndex((channel) => channel.name === name);
    const names = channels.map((channel) => channel.name);
    if (index < 0)
      throw new FaultRefused(`a ${machine} has no channel ${name}.${didYouMean(name, names)}`, { hint: `channels: ${names.join(', ')}` });
    return index;
  };

  return {
    catalogue: models.map(({ name, about, moves }) => ({ name, about, moves: { [machine]: moves } })),
    inject(row, order, now) {
      const rank = models.findIndex(({ name }) => name === order.fault);
      const names = models.map(({ name }) => name);
      if (rank < 0)
        throw new FaultRefused(`a ${machine} has no fault ${order.fault}.${didYouMean(order.fault, names)}`, {
          hint: `faults: ${names.join(', ')}`,
        });
      const model = models[rank];
      const index = channelOf(order, model);
      const label = index < 0 || order.channel === undefined ? model.name : `${model.name} ${order.channel}`;
      const fault: Running<Handles> = {
        ...order,
        thing: things[row],
        since: now,
        model,
        rank,
        chance: streamOf(row).fork(label),
        severityNow: 0,
        held: Number.NaN,
      };
      const others = (running.get(row) ?? []).filter((other) => other.fault !== order.fault || other.channel !== order.channel);
      keep(
        row,
        [...others, fault].sort((a, b) => a.rank - b.rank),
      );
    },
    clear(row, fault) {
      const faults = running.get(row) ?? [];
      const left = faults.filter((other) => fault !== undefined && other.fault !== fault);
      keep(row, left);
      return faults.length - left.length;
    },
    active: () => [...running.values()].flatMap((faults) => faults.map(orderOf)),
    truth: (row) => (running.get(row) ?? []).map(({ fault, severityNow }) => ({ fault, severity: severityNow })),
    apply(now, step) {
      lastStep = step;
      for (const [row, faults] of running) {
        setAtRest(row);
        let ended = false;
        for (const fault of faults) {
          const severity = severityAt(fault, now - fault.since, fault.chance);
          ended ||= severity === null;
          fault.severityNow = severity ?? 0;
          if (severity !== null && 'apply' in fault.model) fault.model.apply(handles, seat(row), severity, fault.chance, step);
        }
        if (ended) {
          const left = faults.filter((fault) => severityAt(fault, now - fault.since, fault.chance) !== null);
          if (left.length > 0) running.set(row, left);
          else running.delete(row);
        }
      }
    },
    distort({ values, quality }) {
      for (const [row, faults] of running) {
        if (quality[row] & Quality.lost) continue;
        for (const fault of faults) {
          const { model } = fault;
          if (!('distort' in model)) continue;
          const index = channelOf(fault, model);
          const { range = [0, 1], limits, decimals } = channels[index];
          const at = row * channels.length + index;
          if (Number.isNaN(fault.held)) fault.held = values[at];
          let value = model.distort(values[at], fault.severityNow, range[1] - range[0], fault.held, fault.chance, lastStep);
          if (limits) value = Math.max(limits[0], Math.min(limits[1], value));
          values[at] = fault.severityNow > 0 && decimals !== undefined ? printed(value, decimals) : value;
        }
      }
    },
  };
}

/** What survives printing with so many decimals: the value that a reader of the line gets. */
export function printed(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  const whole = Math.round(value * scale);
  return whole === 0 ? 0 : whole / scale; // no negative zero: it would not survive the line
}

/** The channel that a machine's sensor faults are about when nobody names one. */
function sensorChannel<Handles>(models: readonly FaultModel<Handles>[]): string {
  const [channel] = Object.keys(models.find(({ name }) => name === 'sensor-bias')?.moves ?? {});
  return channel;
}

function orderOf<Handles>({ fault, severity, over, onset, for: lasts, recovery, channel, thing, since }: Running<Handles>): ActiveFault {
  return {
    fault,
    severity,
    over,
    ...(onset === undefined ? {} : { onset }),
    ...(lasts === undefined ? {} : { for: lasts }),
    ...(recovery === undefined ? {} : { recovery }),
    ...(channel === undefined ? {} : { channel }),
    thing,
    since,
  };
}
