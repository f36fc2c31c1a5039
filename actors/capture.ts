/**
 * What a fleet in this process captures of its inferences, as the original's application does at every prediction: the features'
 * errors and which of them are anomalous, into the object store, in the edge agent's records and under its keys.
 *
 * Ids come from thing, model and instant, so that a replay stores the same objects, and a restarted farm never reuses one.
 */
import {
  type CaptureEntry,
  captureFiles,
  type CaptureRecord,
  embeddedTensor,
  FEATURE_NAMES,
  floatTensor,
  inferenceTime,
} from './contracts/capture.ts';
import type { Clock } from './contracts/clock.ts';
import { reasonOf } from './contracts/errors.ts';
import type { ThingName } from './contracts/ids.ts';
import type { Log } from './contracts/log.ts';
import type { ModelManifest } from './contracts/model.ts';
import type { ObjectStore } from './contracts/objects.ts';
import type { Verdict } from './contracts/verdict.ts';
import { sha256Hex } from './package/digest.ts';

/** Which windows are captured, and how they travel. */
export const CAPTURE_POLICY = {
  /** Every so many judged windows of a turbine (of 5 s: one a minute), and every anomalous one. */
  everyNth: 12,
  batch: 100,
  pushMs: 30_000,
  /** Records that may wait; what comes above is dropped and counted. */
  buffer: 1_000,
  attempts: 3,
} as const;

export interface FleetCapture {
  /** A window was judged. @param manifest of the model that judged it */
  judged(thing: ThingName, verdict: Verdict, manifest: ModelManifest): void;
  readonly stored: number;
  /** No room, or the store did not take them. */
  readonly dropped: number;
  /** Stores what waits. */
  close(): Promise<void>;
}

export interface FleetCaptureOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly objects: ObjectStore;
  readonly bucket: string;
  readonly prefix: string;
}

export function fleetCapture({ clock, log, objects, bucket, prefix }: FleetCaptureOptions): FleetCapture {
  const windows = new Map<ThingName, number>();
  const waiting: CaptureRecord[] = [];
  let failures = 0; // in a row
  let storing: Promise<void> | null = null;
  let timer = 0;
  let closed = false;
  let stored = 0;
  let dropped = 0;

  const drop = (records: number, reason: string) => {
    if (dropped === 0) log.warn({ records, reason }, 'captures are being dropped');
    dropped += records;
  };

  const store = async () => {
    const batch = waiting.slice(0, CAPTURE_POLICY.batch);
    try {
      for (const { key, bytes } of captureFiles(batch, prefix, sha256Hex)) await objects.put(bucket, key, bytes);
      stored += batch.length;
      failures = 0;
    } catch (error) {
      failures++;
      if (failures < CAPTURE_POLICY.attempts && !closed) return; // they stay, and are tried with the next push
      drop(batch.length, reasonOf(error));
      failures = 0;
    }
    waiting.splice(0, batch.length);
  };
  const push = () => {
    timer = 0;
    storing ??= store().finally(() => {
      storing = null;
      arm();
    });
  };
  const arm = () => {
    if (closed || storing || timer !== 0 || waiting.length === 0) return;
    if (waiting.length >= CAPTURE_POLICY.batch && failures === 0) push();
    else timer = clock.setTimeout(push, CAPTURE_POLICY.pushMs);
  };

  return {
    get stored() {
      return stored;
    },
    get dropped() {
      return dropped;
    },
    judged(thing, verdict, manifest) {
      const window = windows.get(thing) ?? 0;
      windows.set(thing, window + 1);
      if (closed || (!verdict.anomalous && window % CAPTURE_POLICY.everyNth !== 0)) return;
      if (waiting.length >= CAPTURE_POLICY.buffer) drop(1, `${CAPTURE_POLICY.buffer} wait to be stored`);
      else waiting.push(recordOf(thing, verdict, manifest, clock.epoch + verdict.at));
      if (waiting.length >= CAPTURE_POLICY.batch && timer !== 0 && !storing && failures === 0) {
        clock.clearTimeout(timer);
        timer = 0;
      }
      arm();
    },
    async close() {
      closed = true;
      clock.clearTimeout(timer);
      await storing;
      while (waiting.length > 0) await store();
    },
  };
}

/** @param at epoch milliseconds */
function recordOf(thing: ThingName, { scores, model }: Verdict, manifest: ModelManifest, at: number): CaptureRecord {
  const names = manifest.signal.features.map(({ name }) => name);
  const errors = manifest.thresholds.map(({ feature, mae }) => scores[feature] * mae);
  const features: CaptureEntry = {
    data: names.join(','),
    encoding: 'CSV',
    mode: 'Input',
    name: FEATURE_NAMES,
    observedContentType: 'text/csv',
  };
  return {
    deviceFleetInputs: [embeddedTensor(floatTensor('input', errors), 'Input')],
    deviceFleetOutputs: [
      embeddedTensor(
        floatTensor(
          'output',
          names.map((name) => (scores[name] > 1 ? 1 : 0)),
        ),
        'Output',
      ),
    ],
    deviceFleetAuxiliaryInputs: [features],
    deviceFleetAuxiliaryOutputs: [],
    eventMetadata: {
      deviceFleetName: manifest.fleet,
      deviceId: thing,
      eventId: captureId(`${thing} ${model} ${at}`),
      inferenceTime: inferenceTime(at),
      modelName: manifest.name,
      modelVersion: manifest.version,
    },
    eventVersion: '0',
  };
}

/** A UUID of the version for own schemes (RFC 9562 §5.8), from a name. */
function captureId(name: string): string {
  const hex = sha256Hex(name);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
