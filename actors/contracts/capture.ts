/**
 * Captured inferences as they are stored, by the edge agent and by a fleet in this process alike: one JSON object a line, in
 * objects whose keys tell fleet, model and hour (UTC).
 *
 *   <prefix>/<fleet>/<model>/<YYYY>/<MM>/<DD>/<HH>/<32 hex>.jsonl          …/raw-data/<32 hex>  what is too long for a line
 */
import type { TensorType, TensorValue } from './inference.ts';
import type { Millis } from './units.ts';

/** The bucket that holds captures; the original demands `sagemaker` in its name. */
export const CAPTURE_BUCKET = 'windfleet-sagemaker-captures';
/** The workshop's. */
export const CAPTURE_PREFIX = 'wind_turbine_data';
/** A payload of more bytes is stored beside the record. */
export const EMBED_LIMIT_BYTES = 3_072;
/** The auxiliary input that names the features of a fleet's own records, in the order of their tensors. */
export const FEATURE_NAMES = 'features';

export type CaptureEncoding = 'CSV' | 'JSON' | 'NONE' | 'BASE64';

/** One tensor or payload; its data in the line, or the address of where they lie. */
export interface CaptureEntry {
  readonly data?: string;
  readonly 'data-ref'?: string;
  readonly encoding: CaptureEncoding;
  readonly mode: 'Input' | 'Output';
  readonly name: string;
  readonly observedContentType: string;
}

export interface CaptureRecord {
  readonly deviceFleetInputs: readonly CaptureEntry[];
  readonly deviceFleetOutputs: readonly CaptureEntry[];
  readonly deviceFleetAuxiliaryInputs: readonly CaptureEntry[];
  readonly deviceFleetAuxiliaryOutputs: readonly CaptureEntry[];
  readonly eventMetadata: {
    readonly deviceFleetName: string;
    readonly deviceId: string;
    /** The capture id, a UUID. */
    readonly eventId: string;
    /** The device's own time, UTC without a zone: `2023-05-31T20:05:24`. */
    readonly inferenceTime: string;
    readonly modelName: string;
    readonly modelVersion: string;
  };
  readonly eventVersion: '0';
}

/** Where and when an inference was: what decides its object's key. */
export interface CapturePlace {
  readonly prefix: string;
  readonly fleet: string;
  readonly model: string;
  /** Epoch milliseconds. */
  readonly at: Millis;
}

/** The folder of the hour, without a slash at its end. */
export function captureFolder({ prefix, fleet, model, at }: CapturePlace): string {
  const [year, month, day, hour] = new Date(at).toISOString().split(/[-T:]/);
  return [prefix, fleet, model, year, month, day, hour].join('/');
}

export const rawDataKey = (place: CapturePlace, id: string): string => `${captureFolder(place)}/raw-data/${id}`;

/** @param at epoch milliseconds */
export const inferenceTime = (at: Millis): string => new Date(at).toISOString().slice(0, 19);

/** Epoch milliseconds of `2023-05-31T20:05:24`; NaN for what is no time. */
export const readInferenceTime = (text: string): Millis =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text) ? Date.parse(`${text}Z`) : Number.NaN;

/** `Tensor[FLOAT32; 1, 6]` */
export const tensorContent = (type: TensorType, shape: readonly number[]): string => `Tensor[${type.toUpperCase()}; ${shape.join(', ')}]`;

/** A tensor whose bytes go into the line. */
export const embeddedTensor = ({ name, type, shape, bytes }: TensorValue, mode: 'Input' | 'Output'): CaptureEntry => ({
  data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  encoding: 'BASE64',
  mode,
  name,
  observedContentType: tensorContent(type, shape),
});

/** Numbers as a tensor of float32, one row. */
export const floatTensor = (name: string, values: readonly number[]): TensorValue => ({
  name,
  type: 'float32',
  shape: [values.length],
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

export interface CaptureFile {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly records: number;
}

/**
 * Records as the objects that hold them: one for each fleet, model and hour. The same records make the same keys, so that storing
 * them again replaces and doubles nothing.
 * @param digest hex, 32 digits at least
 */
export function captureFiles(records: readonly CaptureRecord[], prefix: string, digest: (text: string) => string): CaptureFile[] {
  const groups = new Map<string, CaptureRecord[]>();
  for (const record of records) {
    const { deviceFleetName: fleet, modelName: model, inferenceTime: time } = record.eventMetadata;
    const folder = captureFolder({ prefix, fleet, model, at: readInferenceTime(time) });
    groups.set(folder, [...(groups.get(folder) ?? []), record]);
  }
  return [...groups].map(([folder, group]) => ({
    key: `${folder}/${digest(group.map(({ eventMetadata }) => eventMetadata.eventId).join()).slice(0, 32)}.jsonl`,
    bytes: Buffer.from(group.map((record) => `${JSON.stringify(record)}\n`).join('')),
    records: group.length,
  }));
}
