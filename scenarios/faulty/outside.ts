/**
 * Everything between a story's actors and the rest of its world, with what can go wrong there: the decorators of a world's ports in one
 * place, and how each fault of `faults.ts` begins, ends and is over.
 */
import type { Broker, Bus } from '../../actors/contracts/bus.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
import type { Disk } from '../../actors/contracts/disk.ts';
import type { ModelId, ThingName } from '../../actors/contracts/ids.ts';
import type { Engine } from '../../actors/contracts/inference.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { BodyOrder } from '../../actors/contracts/shard.ts';
import type { TelemetryReport } from '../../actors/contracts/telemetry.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { MessageCounts } from '../facts.ts';
import type { BodyKind } from '../faults.ts';
import { type RestartableBroker, restartableBroker } from './broker.ts';
import { deviceClocks } from './clocks.ts';
import { type EngineTrouble, faultyEngine, type FaultyEngine } from './engines.ts';
import { createLinks, type LinkTrouble } from './links.ts';
import { type FaultyStore, faultyStore, type StoreTrouble } from './objects.ts';
import { createPower, type Power, type Switch } from './power.ts';
import { type SerialFaults, type SerialTrouble, serialFaults } from './serial.ts';
import { createTally } from './tally.ts';
import type { Watch } from './watch.ts';

/** The connection that all devices of a world share: each has a link of its own over it. */
const CARRIER = 'windfleet-devices';
const PROBE = 'windfleet-probe';
const HEARD = ['windfleet/+/state', 'windfleet/+/verdict', 'windfleet/+/telemetry', 'windfleet/+/transitions', 'wind-turbine/logs/+'];

/** A fault of `faults.ts` on one target. */
export interface OutsideFault {
  readonly name: string;
  /** The turbine, or the service. */
  readonly of: string;
  /** Where its target lives; of a service: null. */
  readonly body: BodyKind | null;
  /** Of its step, with what repeats it: one fault of a name may run beside another. */
  readonly label: string;
  readonly attributes: Readonly<Record<string, number | string>>;
}

/** A fault that has begun, or waits for its moment. */
export interface Begun {
  /** From when it is at work. */
  readonly active: Promise<void>;
  end(): void;
  /** Whether all is as before: asked again and again once it has been ended. */
  isOver(): boolean;
}

/** What the world shows of itself once it is built. */
export interface Inside extends Switch {
  order(thing: ThingName, order: BodyOrder): void;
  spool(thing: ThingName): { readonly waiting: number; readonly dropped: number } | null;
}

export interface Outside {
  readonly decorate: {
    readonly broker: (broker: Broker) => Broker;
    readonly objects: (objects: ObjectStore) => ObjectStore;
    readonly device: (
      thing: ThingName,
      given: { readonly bus: Bus; readonly objects: ObjectStore; readonly engine: Engine; readonly disk: Disk },
    ) => { bus: Bus; objects: ObjectStore; engine: Engine; disk: Disk; dateOf: (at: Millis) => Millis };
    readonly serial: SerialFaults;
  };
  /** Called once, with what was built over the decorators. */
  connect(inside: Inside): Promise<void>;
  begin(fault: OutsideFault): Begun;
  /** Wrong bytes of a package in the store. */
  corrupt(key: string, isCorrupt: boolean): void;
  troubleModel(model: ModelId, label: string, trouble: EngineTrouble | null): void;
  messages(): ReadonlyMap<ThingName, MessageCounts>;
  /** Joules that turbines have told of, whether or not anyone heard; one whose machine has no power is missing. */
  energyJ(): ReadonlyMap<ThingName, number>;
  /** Throws what went wrong where nobody could hear it: a defect. */
  assertWhole(): void;
}

const NOW = Promise.resolve();
const number = (attributes: OutsideFault['attributes'], name: string): number | undefined =>
  typeof attributes[name] === 'number' ? attributes[name] : undefined;
const share = (attributes: OutsideFault['attributes'], name: string) => (number(attributes, name) ?? 0) / 100;

export interface OutsideOptions {
  /** The channel of a turbine's power in kilowatts, from which its energy is added up; null: nobody asks for that. */
  readonly powerChannel: string | null;
  /** Probes for invariants; null: nobody asks for them. */
  readonly watch: Watch | null;
}

export function openOutside(clock: Clock, rng: Rng, { powerChannel, watch }: OutsideOptions): Outside {
  const tally = createTally();
  const links = createLinks(clock, rng, tally);
  const clocks = deviceClocks(clock);
  const serial = serialFaults(rng);
  const droppedBefore = new Map<ThingName, number>(); // by spools of earlier boots
  let broker: RestartableBroker | null = null;
  let listening: Promise<unknown> | null = null; // the probe's subscriptions
  let store: FaultyStore | null = null;
  let engine: FaultyEngine | null = null;
  let inside: Inside | null = null;
  const built = <T>(part: T | null): T => {
    if (part === null) throw new Error('the world has not been built yet');
    return part;
  };
  const power: Power = createPower(clock, rng, () => ({
    async halt(thing) {
      droppedBefore.set(thing, (droppedBefore.get(thing) ?? 0) + (built(inside).spool(thing)?.dropped ?? 0));
      watch?.deed(thing, 'off');
      await built(inside).halt(thing);
    },
    boot: (thing) => built(inside).boot(thing),
  }));
  const energyJ = new Map<ThingName, number>();
  const meter = (thing: ThingName, payload: string | Uint8Array, channel: string) => {
    const { every, channels } = JSON.parse(Buffer.from(payload).toString('utf8')) as TelemetryReport;
    const kw = channels[channel]?.[0];
    if (kw !== undefined) energyJ.set(thing, (energyJ.get(thing) ?? 0) + kw * every); // kW × ms = J
  };
  const isDelivered = (thing: ThingName) => links.isSettled(thing) && (inside?.spool(thing)?.waiting ?? 0) === 0;

  const lasting = (set: (isOn: boolean) => void, isOver: () => boolean = () => true): Begun => {
    set(true);
    return { active: NOW, end: () => set(false), isOver };
  };
  const link = ({ of, label }: OutsideFault, trouble: LinkTrouble) =>
    lasting(
      (isOn) => links.trouble(of, label, isOn ? trouble : null),
      () => isDelivered(of),
    );
  /** Between a body and its reader, wherever its rows run. @param hit 0..1 of the samples */
  const samples = ({ of, name }: OutsideFault, hit: number) =>
    lasting((isOn) => {
      const order = { fault: name, severity: hit, over: 0 };
      built(inside).order(of, isOn ? { ask: 'fault', order } : { ask: 'clearFault', fault: name });
    });
  const objects = ({ label }: OutsideFault, trouble: StoreTrouble) => lasting((isOn) => built(store).trouble(label, isOn ? trouble : null));

  return {
    decorate: {
      broker(given) {
        broker = restartableBroker(given, links, tally, [CARRIER]);
        // before any device speaks: a message that nobody hears is counted as lost
        const probe = broker.connect(PROBE);
        listening = Promise.all(HEARD.map((filter) => probe.subscribe(filter, ({ topic, payload }) => tally.seen(topic, payload))));
        listening.catch(() => {}); // told by `connect`
        return broker;
      },
      objects(given) {
        store = faultyStore(given, clock, rng);
        return store.seenBy('cloud');
      },
      device(thing, given) {
        engine ??= faultyEngine(given.engine, clock);
        watch?.deed(thing, 'boot');
        return {
          bus: overheard(links.connect(thing, given.bus, 'device'), (kind, payload) => {
            if (kind === 'state') power.heard(thing, stageIn(payload));
            else if (kind === 'telemetry' && powerChannel !== null) meter(thing, payload, powerChannel);
            watch?.said(thing, kind, payload);
          }),
          objects: built(store).seenBy(thing),
          engine: watch?.engine(thing, engine.engine) ?? engine.engine,
          disk: power.disk(thing, given.disk),
          dateOf: (at) => clocks.dateOf(thing, at),
        };
      },
      serial,
    },

    async connect(given) {
      inside = given;
      await built(listening);
    },

    begin(fault) {
      const { name, of, attributes, body, label } = fault;
      const attribute = (key: string) => number(attributes, key);
      switch (name) {
        case 'sensor-dropout':
          return samples(fault, share(attributes, 'lossPercent'));
        case 'i2c-nack':
        case 'i2c-timeout':
        case 'i2c-bit-flip':
        case 'serial-garbage': {
          const errors = share(attributes, 'errorPercent');
          if (body !== 'emulated') return samples(fault, errors);
          return lasting((isOn) => serial.trouble(of, name as SerialTrouble, isOn ? errors : null));
        }
        case 'link-latency':
          return link(fault, { latencyMs: attribute('latencyMs') ?? 0, jitterMs: attribute('jitterMs') ?? 0 });
        case 'link-loss':
          return link(fault, { loss: share(attributes, 'lossPercent') });
        case 'link-duplicate':
          return link(fault, { duplicate: share(attributes, 'duplicatePercent') });
        case 'link-reorder':
          return link(fault, { reorder: share(attributes, 'reorderPercent') });
        case 'link-bandwidth':
          return link(fault, { kbps: attribute('kbps') ?? Infinity });
        case 'link-partition':
          return lasting(
            (isOn) => links.cut(of, label, isOn),
            () => isDelivered(of),
          );
        case 'clock-skew':
          return lasting((isOn) => {
            const skew = { aheadMs: attribute('skewMs') ?? 0, driftPpm: attribute('driftPpm') ?? 0 };
            clocks.skew(of, label, isOn ? skew : null);
          });
        case 'clock-jump':
          return lasting((isOn) => clocks.skew(of, label, isOn ? { aheadMs: attribute('jumpMs') ?? 0, driftPpm: 0 } : null));
        case 'broker-restart':
          return {
            active: built(broker).down(),
            end: () => built(broker).up(),
            isOver: () => [...tally.things()].every((thing) => !power.isOn(thing) || isDelivered(thing)),
          };
        case 'store-slow':
          return objects(fault, slowness(attributes));
        case 'store-failing':
          return objects(fault, { failing: share(attributes, 'errorPercent'), ...after(attributes) });
        case 'url-expired':
          return objects(fault, { isExpired: true, ...after(attributes) });
        case 'power-cut':
          return powerCut(fault);
        case 'disk-full':
          return lasting((isOn) => power.full(of, isOn));
        default:
          throw new Error(`${name} is no fault of what is outside`);
      }
    },
    corrupt: (key, isCorrupt) => built(store).corrupt(key, isCorrupt),
    troubleModel: (model, label, trouble) => built(engine).trouble(model, label, trouble),
    messages: () =>
      tally.counts(
        (thing) => links.held(thing),
        (thing) => (droppedBefore.get(thing) ?? 0) + (inside?.spool(thing)?.dropped ?? 0),
      ),
    energyJ: () => energyJ,
    assertWhole: () => power.assertWhole(),
  };

  function powerCut({ of, label, attributes }: OutsideFault): Begun {
    let isRunning = true;
    let happened: () => void = () => {};
    const active = new Promise<void>((cut) => {
      happened = cut;
    });
    power.cutAt(of, String(attributes['stage'] ?? ''), label, () => {
      isRunning = false;
      happened();
    });
    return {
      active,
      end() {
        power.forget(of);
        if (isRunning) return;
        power.restore(of, () => {
          isRunning = true;
        });
      },
      isOver: () => isRunning,
    };
  }
}

/** Optional attributes that were given, and no others. */
function slowness(attributes: OutsideFault['attributes']): StoreTrouble {
  const kbps = number(attributes, 'kbps');
  return {
    latencyMs: number(attributes, 'latencyMs') ?? 0,
    jitterMs: number(attributes, 'jitterMs') ?? 0,
    ...(kbps === undefined ? {} : { kbps }),
  };
}
function after(attributes: OutsideFault['attributes']): StoreTrouble {
  const afterBytes = number(attributes, 'afterBytes');
  return afterBytes === undefined ? {} : { afterBytes };
}

/** A device's connection, with an ear for what it says of itself. @param heard of `windfleet/<thing>/<kind>` */
function overheard(bus: Bus, heard: (kind: string, payload: string | Uint8Array) => void): Bus {
  return {
    clientId: bus.clientId,
    publish(topic, payload, options) {
      const said = bus.publish(topic, payload, options);
      if (topic.startsWith('windfleet/')) heard(topic.slice(topic.lastIndexOf('/') + 1), payload);
      return said;
    },
    subscribe: (filter, hear) => bus.subscribe(filter, hear),
    onReconnect: (hear) => bus.onReconnect(hear),
    close: () => bus.close(),
  };
}

function stageIn(payload: string | Uint8Array): string | null {
  const report = JSON.parse(Buffer.from(payload).toString('utf8')) as { readonly update?: unknown };
  return typeof report.update === 'string' ? report.update : null;
}
