/** Capture files → documents with a number for each feature, under the capture's own id: the same line twice is one document. */
import { z } from 'zod';
import { FEATURE_NAMES, readInferenceTime } from '../../actors/contracts/capture.ts';
import { isThingName, type ThingName } from '../../actors/contracts/ids.ts';
import type { IndexedDocument } from '../../actors/contracts/index.ts';
import { readPayload } from '../rules/payload.ts';

/** What the original's application captures, in its order; its records do not name them. */
const ORIGINAL_FEATURES = ['roll', 'pitch', 'yaw', 'wind_speed_rps', 'rps', 'voltage'];

const Entry = z.object({
  name: z.string().max(256),
  data: z.string().max(65_536).optional(),
  encoding: z.enum(['CSV', 'JSON', 'NONE', 'BASE64']),
  observedContentType: z.string().max(256),
});

const Record = z.object({
  deviceFleetInputs: z.array(Entry).max(64),
  deviceFleetOutputs: z.array(Entry).max(64),
  deviceFleetAuxiliaryInputs: z.array(Entry).max(64).default([]),
  eventMetadata: z.object({
    deviceFleetName: z.string().max(128),
    deviceId: z.string().refine(isThingName, 'is no name of a thing'),
    eventId: z.uuid(),
    inferenceTime: z.string().transform((text, context) => {
      const at = readInferenceTime(text);
      if (!Number.isNaN(at)) return at;
      context.addIssue({ code: 'custom', message: `"${text}" is no time, as 2023-05-31T20:05:24` });
      return z.NEVER;
    }),
    modelName: z.string().max(128),
    modelVersion: z.string().max(64),
  }),
  eventVersion: z.literal('0'),
});

/** The thing that a device of a fleet is. */
export type ThingOfDevice = (device: string, fleet: string) => ThingName;

export interface CaptureDocument {
  readonly document: IndexedDocument;
  /** Whether its device reports verdicts itself: a fleet that does names its features. */
  readonly isReported: boolean;
}

/** @param line of a `.jsonl`. @throws Error naming what is wrong */
export function captureDocument(line: string | Uint8Array, thingOf: ThingOfDevice = (device) => device): CaptureDocument {
  try {
    return documentOf(readPayload(typeof line === 'string' ? Buffer.from(line) : line), thingOf);
  } catch (error) {
    throw error instanceof z.ZodError ? new Error(z.prettifyError(error)) : error;
  }
}

/** @throws Error, ZodError */
function documentOf(line: unknown, thingOf: ThingOfDevice): CaptureDocument {
  const { deviceFleetInputs, deviceFleetOutputs, deviceFleetAuxiliaryInputs, eventMetadata } = Record.parse(line);
  const { deviceId, eventId, inferenceTime, modelName, modelVersion, deviceFleetName } = eventMetadata;
  const errors = readFloats(deviceFleetInputs, 'input');
  const anomalies = readFloats(deviceFleetOutputs, 'output');
  const named = deviceFleetAuxiliaryInputs.find(({ name }) => name === FEATURE_NAMES)?.data?.split(',');
  const features = named ?? (errors.length === ORIGINAL_FEATURES.length ? ORIGINAL_FEATURES : []);
  if (features.length !== errors.length || anomalies.length !== errors.length)
    throw new Error(`${errors.length} errors and ${anomalies.length} anomalies of ${features.length} named features`);
  const wrong = features.find((name, f) => !/^[a-z][a-z0-9_]{0,39}$/.test(name) || features.indexOf(name) !== f);
  if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} is no name of a feature, or is there twice`);
  const document = {
    id: eventId,
    at: inferenceTime,
    thing: thingOf(deviceId, deviceFleetName),
    deviceId,
    fleet: deviceFleetName,
    model: `${modelName}@${modelVersion}`,
    anomalous: anomalies.some((anomaly) => anomaly > 0),
    ...Object.fromEntries(
      features.flatMap((name, f) => [[`mean_pred_${name}`, errors[f]] as const, [`anomaly_${name}`, anomalies[f]] as const]),
    ),
  };
  return { document, isReported: named !== undefined };
}

/** The float32 tensor of that name. @throws Error when it is not there, or holds what is no finite number */
function readFloats(entries: readonly z.infer<typeof Entry>[], name: string): readonly number[] {
  const entry = entries.find((candidate) => candidate.name === name);
  if (!entry) throw new Error(`there is no tensor ${name}`);
  const shape = /^Tensor\[FLOAT32; (\d+(?:, \d+)*)\]$/i.exec(entry.observedContentType)?.[1].split(', ').map(Number);
  if (!shape || entry.encoding !== 'BASE64' || entry.data === undefined) throw new Error(`${name} is no tensor of float32 in the line`);
  const bytes = Buffer.from(entry.data, 'base64');
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== 4 * count) throw new Error(`${name} has ${bytes.length} bytes, not ${4 * count}`);
  const values = Array.from({ length: count }, (_, i) => bytes.readFloatLE(4 * i));
  if (!values.every(Number.isFinite)) throw new Error(`${name} holds what is no number`);
  return values;
}
