/**
 * A fleet out of bodies and ports: for every body a data plane over its shards, for every turbine an actor with its disk, slots and
 * outbox.
 *
 * It is the same for twins, recordings and a turbine on a serial line; a process hands in what stands behind the ports.
 */
import type { KeyObject } from 'node:crypto';
import { bridge, retellFacts } from './bridge.ts';
import { fleetCapture } from './capture.ts';
import type { Backing } from './contracts/backing.ts';
import type { Bus } from './contracts/bus.ts';
import type { Clock } from './contracts/clock.ts';
import type { Disk } from './contracts/disk.ts';
import { reasonOf } from './contracts/errors.ts';
import { type ModelId, modelId, type ThingName } from './contracts/ids.ts';
import type { Engine, Prover } from './contracts/inference.ts';
import type { DeviceJobs } from './contracts/jobs.ts';
import type { EventLog, Log } from './contracts/log.ts';
import { MODEL_BUCKET, type ObjectStore } from './contracts/objects.ts';
import type { BodyOrder, LoadedModel, ShardLink } from './contracts/shard.ts';
import { topics, type TransitionReport } from './contracts/telemetry.ts';
import type { Millis } from './contracts/units.ts';
import type { Verdict } from './contracts/verdict.ts';
import { type DataPlane, openDataPlane } from './dataplane/plane.ts';
import { commandEvent, parseCommand, parseInspect } from './fleet/commands.ts';
import { startDevice } from './fleet/device.ts';
import { inspectActor } from './fleet/inspect.ts';
import { supervisor } from './fleet/supervisor.ts';
import { openOutbox, type Outbox } from './ota/outbox.ts';
import { installFirst, openSlots, type Slots } from './ota/slots.ts';
import { type UpdatePorts, type UpdateSteps, updateSteps } from './ota/steps.ts';
import { createReporter } from './reporter.ts';
import { openSpool, type Spool } from './spool.ts';

export interface FleetPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EventLog;
  readonly bus: Bus;
  readonly jobs: DeviceJobs;
  readonly objects: ObjectStore;
  readonly engine: Engine;
  /** Tries a new network before the engine loads it; null for an engine that is elsewhere. */
  readonly prover: Prover | null;
  /** A turbine's own storage. */
  readonly disk: (thing: ThingName) => Disk;
  readonly trustedKeys: readonly KeyObject[];
  /** The fleet that these devices belong to, as packages name it; absent: any. */
  readonly fleet?: string;
  /** Groups that a device knows to be in; absent: none. */
  readonly groups?: (thing: ThingName) => readonly string[];
  /** Where inferences are captured; null: they are not. */
  readonly captures: { readonly bucket: string; readonly prefix: string } | null;
  /** The package that a device of this machine starts with; null when there is none. */
  readonly firstModel: (machine: string) => Promise<Uint8Array | null>;
  /** What an update does on a device; absent: `updateSteps`. */
  readonly steps?: ((ports: UpdatePorts) => UpdateSteps) | undefined;
  /** What one device has for itself, asked anew at each of its boots; absent: what all share. */
  readonly device?: (thing: ThingName) => Partial<DevicePorts>;
}

/** The outside of one device, from a boot to the next. */
export interface DevicePorts extends Pick<FleetPorts, 'bus' | 'jobs' | 'objects' | 'engine'> {
  readonly disk: Disk;
  /** Epoch milliseconds of an instant, as the device's own clock has them. */
  readonly dateOf: (at: Millis) => Millis;
}

/** Turbines of one machine, and the shards that run their rows. */
export interface Body extends Pick<Backing, 'kind' | 'machine' | 'channels' | 'things'> {
  readonly shards: readonly ShardLink[];
  /** From an order to a row until it is in force. */
  readonly reactionMs: Millis;
}

export interface Fleet {
  readonly things: readonly ThingName[];
  /** Windows judged so far; of some shards, or of all. */
  windows(shards?: readonly ShardLink[]): number;
  /** Whether the actor's transitions are reported. */
  inspect(thing: ThingName, on: boolean, hear?: (transition: Omit<TransitionReport, 'at'>) => void): void;
  /** Breaks or mends a turbine's body. */
  order(thing: ThingName, order: BodyOrder): void;
  /** The device is off from now on, as by a power cut: its actor and all that it held in memory are gone. Its body goes on. */
  halt(thing: ThingName): Promise<void>;
  /** Starts a device that is off, from what is on its disk. */
  boot(thing: ThingName): Promise<void>;
  /** Telemetry of a device that waits for its connection, and what found no place; null while it is off. */
  spool(thing: ThingName): { readonly waiting: number; readonly dropped: number } | null;
  /** Stops ticking and the actors, and closes the models; ports stay open. */
  close(): Promise<void>;
}

const TICK_MS = 50;
const STATE_EVERY_MS = 60_000;
const ASK_AGAIN_MS = 10_000;
const OBSERVED_UP_TO = 10; // turbines; beyond, full logs are for those that are inspected

export async function assembleFleet(bodies: readonly Body[], ports: FleetPorts): Promise<Fleet> {
  const { clock, log, events, objects, prover, trustedKeys } = ports;
  const things = bodies.flatMap((body) => body.things);
  const inspected = new Map<ThingName, () => void>();
  const states = new Map<ThingName, { state: string; cause: string; update: string | null }>();
  const reporter = createReporter({ lineOf: (thing) => seats.get(thing)?.device ?? null, clock, log });
  const isObserved = (thing: ThingName) => things.length <= OBSERVED_UP_TO || inspected.has(thing);
  const capture = ports.captures && fleetCapture({ clock, log, objects, ...ports.captures });
  const seats = new Map<ThingName, Seat>();
  let closed = false;

  const fleet = supervisor({
    clock,
    log,
    spawn(thing, died) {
      const { plane, row, device } = seats.get(thing)!;
      const actor = startDevice({
        thing,
        clock,
        steps: device!.steps,
        command: (command) => {
          events.append({ at: clock.now(), kind: 'command', of: thing, what: { ...command } });
          plane.command(row, command);
        },
        forgetVerdict: () => plane.forget(row),
        askNextJob: () => ask(thing),
        changed: (state, cause, update) => onState(thing, state, cause, update),
        died,
      });
      retellFacts(plane, row, (event) => actor.send(event));
      return actor;
    },
  });

  const reportState = (thing: ThingName) => {
    const { body, plane, row } = seats.get(thing)!;
    const known = states.get(thing);
    if (known) reporter.state(thing, { ...known, machine: body.machine, backing: body.kind, model: plane.champion(row)?.id ?? null });
  };
  const onState = (thing: ThingName, state: string, cause: string, update: string | null) => {
    const before = states.get(thing);
    states.set(thing, { state, cause, update });
    if (before?.state !== state)
      events.append({ at: clock.now(), kind: 'state', of: thing, what: { from: before?.state ?? null, to: state, cause } });
    reportState(thing);
  };

  /** Tells a turbine of its next job; asks again later when nobody answers. */
  const ask = (thing: ThingName) => {
    const device = seats.get(thing)?.device;
    if (closed || !device) return;
    if (device.isAsking) {
      device.askAgain = true;
      return;
    }
    device.isAsking = true;
    device.askAgain = false;
    const isOver = () => seats.get(thing)?.device !== device;
    device.jobs.next(thing).then(
      (job) => {
        device.isAsking = false;
        if (isOver()) return;
        if (device.askAgain) ask(thing);
        if (!job) return void device.steps.rest();
        fleet.send(thing, {
          type: 'job.notify',
          job: { jobId: job.jobId, executionNumber: job.executionNumber, document: job.document },
        });
      },
      (error: unknown) => {
        if (isOver()) return;
        log.debug({ thing, reason: reasonOf(error) }, 'the job service does not answer');
        clock.setTimeout(() => {
          device.isAsking = false;
          if (!isOver()) ask(thing);
        }, ASK_AGAIN_MS);
      },
    );
  };

  const use = (thing: ThingName, model: LoadedModel): void => {
    const { plane, row } = seats.get(thing)!;
    plane.use(row, model);
    tellOfModel(thing, model);
  };
  const tellOfModel = (thing: ThingName, model: LoadedModel) => {
    events.append({ at: clock.now(), kind: 'model', of: thing, what: { model: model.id } });
    fleet.send(thing, { type: 'model.ready', model: model.id as ModelId });
    reportState(thing);
  };

  const boot = async (thing: ThingName): Promise<void> => {
    const seat = seats.get(thing)!;
    if (seat.device) throw new Error(`${thing} runs already`);
    const { plane, row, body } = seat;
    const own: DevicePorts = {
      bus: ports.bus,
      jobs: ports.jobs,
      objects,
      engine: ports.engine,
      dateOf: (at) => clock.epoch + at,
      disk: ports.disk(thing),
      ...ports.device?.(thing),
    };
    const { bus, jobs, engine, disk } = own;
    const spool = await openSpool({ thing, bus, disk, clock, log });
    const slots = openSlots(disk, trustedKeys, log);
    const outbox = openOutbox(thing, disk, jobs, clock, log);
    const isOver = () => seat.device !== device;
    const steps = (ports.steps ?? updateSteps)({
      ...own,
      thing,
      machine: body.machine,
      fleet: ports.fleet ?? null,
      buckets: [MODEL_BUCKET],
      channels: body.channels,
      clock,
      log,
      slots,
      outbox,
      prover,
      trustedKeys,
      groups: () => ports.groups?.(thing) ?? [],
      canary: (candidate, options) => plane.tryOut(row, candidate, options),
      activate(candidate) {
        if (isOver()) throw new Error(`${thing} is off`);
        return new Promise((swapped) =>
          plane.replace(row, candidate, (old) => {
            tellOfModel(thing, candidate);
            swapped(old);
          }),
        );
      },
      dismiss: () => plane.dismiss(row),
    });
    const device: Device = { ...own, spool, outbox, steps, isAsking: false, askAgain: false };
    seat.device = device;
    plane.power(row, true);
    plane.observe(row, isObserved(thing));

    fleet.add(thing);
    const installed = (await slots.read()) ?? (await firstInstalled(slots, body.machine));
    if (isOver()) return;
    if (installed) {
      const { manifest, network, golden, files, record } = installed;
      const inference = await engine.load(manifest, network, golden, files);
      if (isOver()) return inference.close();
      use(thing, { id: modelId(manifest.name, manifest.version), digest: record.sha256, manifest, inference });
    }
    await bus.subscribe(topics.command(thing), ({ payload }) => {
      const order = parseCommand(payload);
      if (order) fleet.send(thing, commandEvent(order));
      else log.warn({ thing }, 'a command that is none');
    });
    await bus.subscribe(topics.inspect(thing), ({ payload }) => {
      const on = parseInspect(payload);
      if (on !== null) inspect(thing, on);
    });
    await jobs.onNext(thing, () => {
      spool.flush();
      outbox.flush();
      ask(thing);
    });
    if (isOver()) return;
    spool.flush();
    outbox.flush();
    ask(thing);
  };

  const halt = async (thing: ThingName): Promise<void> => {
    const seat = seats.get(thing)!;
    const { plane, row, device } = seat;
    if (!device) return;
    seat.device = null;
    inspect(thing, false);
    states.delete(thing);
    fleet.remove(thing);
    reporter.forget(thing);
    device.spool.close();
    device.outbox.close();
    if (device.bus !== ports.bus) await device.bus.close();
    const champion = plane.champion(row);
    plane.power(row, false);
    await device.steps.abandon();
    await champion?.inference.close();
  };

  const planes: DataPlane[] = [];
  for (const body of bodies) {
    const send: Parameters<typeof bridge>[0]['send'] = (thing, event) => fleet.send(thing, event);
    const judged = (row: number, verdict: Verdict) => capture?.judged(body.things[row], verdict, plane.champion(row)!.manifest);
    const listener = bridge({ things: body.things, channels: body.channels, send, reporter, events, clock, capture: judged });
    const plane: DataPlane = openDataPlane(body.shards, { clock, listener, rows: body.things.length, reactionMs: body.reactionMs });
    planes.push(plane);
    for (const [row, thing] of body.things.entries()) {
      seats.set(thing, { plane, row, body, device: null });
      await boot(thing);
    }
  }

  async function firstInstalled(slots: Slots, machine: string) {
    const bytes = await ports.firstModel(machine);
    return bytes ? installFirst(slots, bytes, trustedKeys) : null;
  }

  const inspect: Fleet['inspect'] = (thing, on, hear) => {
    inspected.get(thing)?.();
    inspected.delete(thing);
    const actor = on ? fleet.actor(thing) : null;
    if (actor)
      inspected.set(
        thing,
        inspectActor(actor, (transition) => {
          reporter.transition(thing, transition);
          hear?.(transition);
        }),
      );
    const seat = seats.get(thing);
    seat?.plane.observe(seat.row, isObserved(thing));
  };

  let [nextTick, nextStates] = [0, 0]; // timers; on a wall clock one that is left would keep the process
  const tick = (): void | Promise<void> => {
    if (closed) return;
    nextTick = clock.setTimeout(tick, TICK_MS);
    return tickFrom(0, clock.now());
  };
  /** A plane after the other, so that what they tell is heard in one order. */
  const tickFrom = (first: number, now: Millis): void | Promise<void> => {
    for (let i = first; i < planes.length; i++) {
      const heard = planes[i].tick(now);
      if (heard) return heard.then(() => tickFrom(i + 1, now));
    }
  };
  const repeatStates = () => {
    if (closed) return;
    nextStates = clock.setTimeout(repeatStates, STATE_EVERY_MS);
    for (const thing of things) reportState(thing);
  };
  nextTick = clock.setTimeout(tick, TICK_MS);
  nextStates = clock.setTimeout(repeatStates, STATE_EVERY_MS);

  return {
    things,
    windows: (shards = bodies.flatMap((body) => body.shards)) =>
      shards.reduce((sum, shard) => sum + planes.reduce((all, plane) => all + plane.windows(shard), 0), 0),
    inspect,
    halt,
    boot,
    spool: (thing) => seats.get(thing)?.device?.spool ?? null,
    order(thing, order) {
      const { plane, row } = seats.get(thing)!;
      plane.order({ ...order, row });
    },
    async close() {
      closed = true;
      clock.clearTimeout(nextTick);
      clock.clearTimeout(nextStates);
      for (const stop of inspected.values()) stop();
      fleet.stop();
      await capture?.close();
      for (const { plane, row, device } of seats.values()) {
        device?.spool.close();
        device?.outbox.close();
        await plane.champion(row)?.inference.close();
      }
      for (const plane of planes) await plane.close();
    },
  };
}

/** Where a turbine sits: its plane and row, and its device while that is on. */
interface Seat {
  readonly plane: DataPlane;
  readonly row: number;
  readonly body: Body;
  device: Device | null;
}

/** What runs between a boot and the next. */
interface Device extends DevicePorts {
  readonly spool: Spool;
  readonly outbox: Outbox;
  readonly steps: UpdateSteps;
  isAsking: boolean;
  /** Told of another job while the answer was on its way. */
  askAgain: boolean;
}
