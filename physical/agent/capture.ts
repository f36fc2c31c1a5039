/**
 * Captures on their way to a store: taken into a buffer at once, stored by the batch.
 *
 *   CaptureData → waiting ─ batch full, or period over ─→ storing → SUCCESS
 *                    ↑                                       │
 *                    └── store did not take it, twice ───────┴─ a third time → FAILURE
 */
import { status } from '@grpc/grpc-js';
import {
  captureFiles,
  type CaptureEntry,
  type CaptureRecord,
  embeddedTensor,
  inferenceTime,
  rawDataKey,
  tensorContent,
} from '../../actors/contracts/capture.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
import { reasonOf } from '../../actors/contracts/errors.ts';
import type { TensorValue } from '../../actors/contracts/inference.ts';
import type { Log } from '../../actors/contracts/log.ts';
import { sha256Hex } from '../../actors/package/digest.ts';
import type { Auxiliary, Capture } from './capture-request.ts';
import type { CaptureSink } from './capture-sink.ts';
import type { CaptureSettings } from './config.ts';
import { CaptureStatus } from './protocol.ts';
import { Refusal } from './refusal.ts';

export interface CaptureOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly sink: CaptureSink;
  readonly settings: CaptureSettings;
  readonly device: string;
  readonly fleet: string;
  /** The version of the package that is loaded under a name; null when nobody knows. */
  readonly versionOf: (model: string) => string | null;
}

export interface CaptureBuffer {
  /** @throws Refusal ALREADY_EXISTS, RESOURCE_EXHAUSTED */
  submit(capture: Capture): void;
  /** @throws Refusal NOT_FOUND */
  status(id: string): CaptureStatus;
  readonly waiting: number;
  readonly stored: number;
  readonly failed: number;
  /** Stores what waits; each batch is tried once more at most. */
  close(): Promise<void>;
}

const ATTEMPTS = 3;
const REMEMBERED = 10_000; // statuses, the oldest forgotten first

interface Batch {
  readonly captures: readonly Capture[];
  attempts: number;
}

export function openCapture({ clock, log, sink, settings, device, fleet, versionOf }: CaptureOptions): CaptureBuffer {
  const { bufferSize, batchSize, pushMs, embedLimit, prefix } = settings;
  const statuses = new Map<string, CaptureStatus>();
  const waiting: Capture[] = [];
  const again: Batch[] = [];
  let storing: Promise<void> | null = null;
  let inBatches = 0;
  let timer = 0;
  let closed = false;
  let stored = 0;
  let failed = 0;

  const settle = ({ captures }: Batch, outcome: CaptureStatus) => {
    for (const { id } of captures) statuses.set(id, outcome);
    inBatches -= captures.length;
    if (outcome === CaptureStatus.SUCCESS) stored += captures.length;
    else failed += captures.length;
  };

  const attempt = async (batch: Batch) => {
    if (batch.attempts === 0) inBatches += batch.captures.length;
    batch.attempts++;
    try {
      await store(batch.captures);
      settle(batch, CaptureStatus.SUCCESS);
    } catch (error) {
      log.warn({ captures: batch.captures.length, attempt: batch.attempts, reason: reasonOf(error) }, 'captures could not be stored');
      if (batch.attempts < ATTEMPTS) again.push(batch);
      else settle(batch, CaptureStatus.FAILURE);
    }
  };
  /** Everything that waits once; what failed comes again when a push period is over, so that a short outage does not use up its attempts. */
  const push = async (isDue: boolean) => {
    if (isDue) for (const batch of again.splice(0)) await attempt(batch);
    while (waiting.length > 0) await attempt({ captures: waiting.splice(0, batchSize), attempts: 0 });
  };
  const kick = (isDue: boolean) => {
    storing ??= push(isDue).finally(() => {
      storing = null;
      arm();
    });
  };
  const arm = () => {
    if (closed || storing) return;
    if (waiting.length >= batchSize) kick(false);
    else if (timer === 0 && waiting.length + again.length > 0)
      timer = clock.setTimeout(() => {
        timer = 0;
        kick(true);
      }, pushMs);
  };

  async function store(captures: readonly Capture[]): Promise<void> {
    const records: CaptureRecord[] = [];
    for (const capture of captures) records.push(await recordOf(capture));
    for (const { key, bytes } of captureFiles(records, prefix, sha256Hex)) await sink.put(key, bytes);
  }

  async function recordOf(capture: Capture): Promise<CaptureRecord> {
    const { id, model, at, inputs, outputs, auxiliaryInputs, auxiliaryOutputs } = capture;
    const beside = async (entry: Omit<CaptureEntry, 'data'>, bytes: Uint8Array): Promise<CaptureEntry> => {
      const key = rawDataKey({ prefix, fleet, model, at }, sha256Hex(`${id} ${entry.mode} ${entry.name}`).slice(0, 32));
      await sink.put(key, bytes);
      return { ...entry, 'data-ref': sink.addressOf(key) };
    };
    const tensor = async (value: TensorValue, mode: CaptureEntry['mode']) => {
      if (value.bytes.length <= embedLimit) return embeddedTensor(value, mode);
      const observedContentType = tensorContent(value.type, value.shape);
      return beside({ encoding: 'NONE', mode, name: value.name, observedContentType }, value.bytes);
    };
    const auxiliary = async ({ name, encoding, bytes }: Auxiliary, mode: CaptureEntry['mode']): Promise<CaptureEntry> => {
      const entry = { encoding, mode, name, observedContentType: CONTENT_TYPES[encoding] };
      if (bytes.length > embedLimit) return beside(entry, bytes);
      if (encoding === 'NONE') return { ...entry, data: Buffer.from(bytes).toString('base64'), encoding: 'BASE64' };
      return { ...entry, data: Buffer.from(bytes).toString('utf8') };
    };
    return {
      deviceFleetInputs: await each(inputs, (value) => tensor(value, 'Input')),
      deviceFleetOutputs: await each(outputs, (value) => tensor(value, 'Output')),
      deviceFleetAuxiliaryInputs: await each(auxiliaryInputs, (data) => auxiliary(data, 'Input')),
      deviceFleetAuxiliaryOutputs: await each(auxiliaryOutputs, (data) => auxiliary(data, 'Output')),
      eventMetadata: {
        deviceFleetName: fleet,
        deviceId: device,
        eventId: id,
        inferenceTime: inferenceTime(at),
        modelName: model,
        modelVersion: versionOf(model) ?? versionInName(model),
      },
      eventVersion: '0',
    };
  }

  return {
    get waiting() {
      return waiting.length + inBatches;
    },
    get stored() {
      return stored;
    },
    get failed() {
      return failed;
    },
    submit(capture) {
      if (statuses.has(capture.id)) throw new Refusal(status.ALREADY_EXISTS, `capture id ${capture.id} was used before`);
      if (closed || waiting.length + inBatches >= bufferSize)
        throw new Refusal(
          status.RESOURCE_EXHAUSTED,
          closed ? 'the agent is ending' : `the buffer is full: ${bufferSize} captures wait to be stored`,
        );
      statuses.set(capture.id, CaptureStatus.IN_PROGRESS);
      if (statuses.size > REMEMBERED) {
        const [oldest] = statuses.keys();
        statuses.delete(oldest);
      }
      waiting.push(capture);
      arm();
    },
    status(id) {
      const known = statuses.get(id);
      if (known === undefined) throw new Refusal(status.NOT_FOUND, `no capture ${id}`);
      return known;
    },
    async close() {
      closed = true;
      clock.clearTimeout(timer);
      await storing;
      await push(true);
      for (const batch of again.splice(0)) settle(batch, CaptureStatus.FAILURE);
      if (failed > 0) log.error({ failed, stored }, 'captures were lost');
    },
  };
}

const CONTENT_TYPES = { CSV: 'text/csv', JSON: 'application/json', NONE: 'application/octet-stream', BASE64: 'application/octet-stream' };

/** One after the other: a store is not asked for a whole batch at once. */
async function each<T, R>(items: readonly T[], make: (item: T) => Promise<R>): Promise<R[]> {
  const made: R[] = [];
  for (const item of items) made.push(await make(item));
  return made;
}

/** The original's clients put the version into the name: `WindTurbineAnomalyDetection-1-0`. */
const versionInName = (model: string): string => /-(\d+(?:-\d+)*)$/.exec(model)?.[1].replaceAll('-', '.') ?? '1.0';
