/**
 * The faults of a story that are not of a machine's body (those are in `twins/faults`): what they act on, by which attributes, and around
 * which bodies they can be injected. Names and attributes are fixed.
 */

/** Software twins; a recording; the serial driver fed by an emulated firmware; the same at a real port. */
export type BodyKind = 'twins' | 'replay' | 'emulated' | 'serial';

export type AttributeKind =
  | {
      readonly about: string;
      readonly unit: string;
      readonly min: number;
      readonly max: number;
      /** Absent: the attribute does nothing unless it is given. */
      readonly default?: number;
      readonly isWhole?: true;
    }
  | { readonly about: string; readonly oneOf: readonly string[]; readonly default: string };

export interface WorldFault {
  readonly name: string;
  readonly about: string;
  readonly kind: 'sensor' | 'network' | 'service' | 'model' | 'device';
  /** `turbine`: `on` says which; `service`: `on` is left out; `deploy`: `on` is the id of the deploy step whose model it spoils. */
  readonly actsOn: 'turbine' | 'service' | 'deploy';
  readonly attributes: Readonly<Record<string, AttributeKind>>;
  /** How bad it is says a severity, 0..1, as of a fault of a body. */
  readonly hasSeverity?: true;
  /** Why it cannot be injected around a body; absent: it can. */
  readonly notOn: { readonly [body in BodyKind]?: string };
}

const DAY_MS = 86_400_000;
/** The update's states in which a power cut is told apart. */
const UPDATE_STAGES = ['downloading', 'verifying', 'unpacking', 'loading', 'canary', 'committing', 'reporting', 'rollingBack'];

const latencyMs = (byDefault: number): AttributeKind => ({
  about: 'later by this',
  unit: 'ms',
  min: 0,
  max: 600_000,
  default: byDefault,
});
const jitterMs: AttributeKind = { about: 'and by up to this more, by chance', unit: 'ms', min: 0, max: 600_000, default: 0 };
const percent = (about: string, byDefault: number): AttributeKind => ({ about, unit: '%', min: 0, max: 100, default: byDefault });
const kbps = (byDefault?: number): AttributeKind => ({
  about: 'kilobits a second',
  unit: 'kbit/s',
  min: 0.1,
  max: 10_000_000,
  ...(byDefault === undefined ? {} : { default: byDefault }),
});
const afterBytes: AttributeKind = {
  about: 'only once so many bytes of an object have been read',
  unit: 'bytes',
  min: 0,
  max: 1e12,
  isWhole: true,
};

const RECORDED = 'a recording holds what was read: nothing stands between it and its sensors';
const OWN_SENSORS = 'a real turbine’s sensors and lines cannot be broken from here';
const NO_BUS = 'a recording has no bus';
const NO_LINE = 'a twin has no serial line; emulate one: `serial: emulated`';

const onSensors = { replay: RECORDED, serial: OWN_SENSORS };
const onBus = { replay: NO_BUS, serial: OWN_SENSORS };

const sensor = (name: string, about: string, attributes: WorldFault['attributes'], notOn: WorldFault['notOn']): WorldFault => ({
  name,
  about,
  kind: 'sensor',
  actsOn: 'turbine',
  attributes,
  notOn,
});
const network = (name: string, about: string, attributes: WorldFault['attributes'] = {}): WorldFault => ({
  name,
  about,
  kind: 'network',
  actsOn: 'turbine',
  attributes,
  notOn: {},
});
const service = (name: string, about: string, attributes: WorldFault['attributes'] = {}): WorldFault => ({
  name,
  about,
  kind: 'service',
  actsOn: 'service',
  attributes,
  notOn: {},
});
const model = (name: string, about: string, attributes: WorldFault['attributes'] = {}): WorldFault => ({
  name,
  about,
  kind: 'model',
  actsOn: 'deploy',
  attributes,
  notOn: {},
});
const device = (name: string, about: string, attributes: WorldFault['attributes'] = {}): WorldFault => ({
  name,
  about,
  kind: 'device',
  actsOn: 'turbine',
  attributes,
  notOn: {},
});

export const worldFaults: readonly WorldFault[] = [
  sensor(
    'sensor-dropout',
    'Readings do not arrive: a sample is lost.',
    { lossPercent: percent('of the samples are lost', 100) },
    onSensors,
  ),
  sensor('i2c-nack', 'A sensor does not acknowledge: its readings are stale.', { errorPercent: percent('of the reads', 20) }, onBus),
  sensor('i2c-timeout', 'The bus hangs until it times out: the sample is lost.', { errorPercent: percent('of the reads', 10) }, onBus),
  sensor('i2c-bit-flip', 'A bit of a reading flips on the bus.', { errorPercent: percent('of the reads', 5) }, onBus),
  sensor(
    'serial-garbage',
    'Bytes of the serial line are lost, wrong, or of two lines at once.',
    { errorPercent: percent('of the lines', 10) },
    { twins: NO_LINE, replay: NO_LINE, serial: OWN_SENSORS },
  ),

  network('link-latency', 'Messages of the turbine come late.', { latencyMs: latencyMs(500), jitterMs }),
  network('link-loss', 'Messages of the turbine are lost; those of QoS 1 are sent again.', { lossPercent: percent('of the messages', 20) }),
  network('link-duplicate', 'Messages of the turbine come twice.', { duplicatePercent: percent('of the messages', 20) }),
  network('link-reorder', 'Messages of the turbine overtake each other.', { reorderPercent: percent('of the messages', 20) }),
  network('link-bandwidth', 'The turbine’s link is narrow.', { kbps: kbps(64) }),
  network('link-partition', 'Nothing passes between the turbine and the cloud.'),
  network('clock-skew', 'The turbine’s clock is wrong, and runs away.', {
    skewMs: { about: 'ahead by this', unit: 'ms', min: -DAY_MS, max: DAY_MS, default: 30_000 },
    driftPpm: { about: 'and fast by this', unit: 'ppm', min: -100_000, max: 100_000, default: 0 },
  }),
  network('clock-jump', 'The turbine’s clock jumps, once.', {
    jumpMs: { about: 'ahead by this; below 0, back', unit: 'ms', min: -DAY_MS, max: DAY_MS, default: 60_000 },
  }),

  service('broker-restart', 'The broker goes away with all connections, and comes back after `for` (absent: two seconds).'),
  service('store-slow', 'The object store answers late and slowly.', { latencyMs: latencyMs(500), jitterMs, kbps: kbps() }),
  service('store-failing', 'The object store answers with an error (5xx), or breaks off.', {
    errorPercent: percent('of the requests', 50),
    afterBytes,
  }),
  service('url-expired', 'Presigned URLs run out: the object store answers 403.', { afterBytes }),

  model('package-corrupt', 'Bytes of the model’s package are wrong in the store.'),
  model('package-unsigned', 'The model’s package has no signature that the fleet trusts.'),
  model('model-broken', 'The model does not answer its golden samples as its package says.'),
  { ...model('model-nan', 'The model answers NaN.'), hasSeverity: true },
  model('model-slow', 'The model answers late.', { latencyMs: latencyMs(2_000) }),
  model('model-deaf', 'The model finds nothing anomalous.'),
  { ...model('model-trigger-happy', 'The model finds healthy windows anomalous.'), hasSeverity: true },
  { ...model('model-drifting', 'The model’s errors grow with the time that it serves.'), hasSeverity: true },
  { ...model('model-wrong-statistics', 'The model’s statistics are those of another machine.'), hasSeverity: true },

  device('power-cut', 'The device loses its power at a stage of an update, and boots again after `for` (absent: five seconds).', {
    stage: { about: 'the state of the update in which it happens', oneOf: UPDATE_STAGES, default: 'downloading' },
  }),
  device('disk-full', 'Nothing more can be written on the device.'),
];
