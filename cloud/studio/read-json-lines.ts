/**
 * Captured JSON-lines: log messages of devices (`{"logs":[{"ts","data":[20 texts]}]}`, a message a line), and records of CaptureData,
 * an inference a line.
 *
 * The original captured the mean errors and the flags of its six features under the names of input and output: nothing can be learned
 * from those. Records whose input is the model's own window can be trained on.
 */
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { FileInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import { createFileFaults } from '../../actors/contracts/file-faults.ts';
import { isThingName, type ThingName } from '../../actors/contracts/ids.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { readLines } from './read-lines.ts';
import { parseSerialLine } from './read-serial.ts';
import { createRows, type SampleSource } from './samples.ts';

const LONGEST_LINE = 4 << 20; // bytes
const LOG_HINT = 'a line is a message: {"logs":[{"ts":"2021-04-12T12:36:01.123+00:00","data":[20 texts]}, …]}';
const CAPTURE_HINT = 'a line is a record of CaptureData, with deviceFleetInputs and eventMetadata';

/** @param thing of messages that name none; the rule of the original adds `device_name` */
export function logSource(file: string, chunks: () => AsyncIterable<Uint8Array>, thing: ThingName): SampleSource {
  const rows = createRows();
  return {
    machine: deskTurbine.name,
    channels: deskTurbine.channels,
    things: rows.things,
    notes: () => [],
    async read(hear) {
      const faults = createFileFaults();
      let samples = 0;
      rows.rewind();
      await readLines(chunks(), file, LONGEST_LINE, (bytes, from, to, line) => {
        const text = bytes.toString('utf8', from, to);
        if (text.trim() === '') return;
        const message = parseJson(text, `${file}:${line}`, faults);
        if (message === null) return;
        const named = message['device_name'] ?? thing;
        if (typeof named !== 'string' || !isThingName(named)) return faults.add(`${file}:${line} device_name is no name of a turbine`);
        if (!Array.isArray(message['logs'])) return faults.add(`${file}:${line} has no logs`);
        for (const [i, record] of (message['logs'] as unknown[]).entries()) {
          const place = `${file}:${line} logs[${i}]`;
          const { ts, data } = (record ?? {}) as { ts?: unknown; data?: unknown };
          const at = typeof ts === 'string' ? Date.parse(ts) : Number.NaN;
          const values = Array.isArray(data) && data.length === 20 ? parseSerialLine(data.join(',')) : null;
          if (Number.isNaN(at)) faults.add(`${place} ts is no date`);
          else if (values === null) faults.add(`${place} data is not 20 numbers`);
          else {
            const row = rows.of(named);
            if (row < 0) throw new FileInvalid(`${place} ${named} is one turbine too many: a file may hold ${rows.things.length}`);
            if (at < rows.lastAt[row]) faults.add(`${place} goes back in time for ${named}`);
            rows.lastAt[row] = at;
            samples++;
            hear(row, at, values, 0);
          }
        }
      });
      faults.refuse(LOG_HINT);
      if (samples === 0) throw new FileInvalid(`${file} holds no sample`, { hint: LOG_HINT });
    },
  };
}

/** One inference: what went into a model. */
export interface CapturedInput {
  readonly thing: string;
  readonly model: string;
  readonly at: Millis;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface CaptureSource {
  /** @throws FileInvalid naming every fault */
  read(hear: (input: CapturedInput, place: string) => void): Promise<void>;
}

export function captureSource(file: string, chunks: () => AsyncIterable<Uint8Array>): CaptureSource {
  return {
    async read(hear) {
      const faults = createFileFaults();
      let records = 0;
      await readLines(chunks(), file, LONGEST_LINE, (bytes, from, to, line) => {
        const text = bytes.toString('utf8', from, to);
        if (text.trim() === '') return;
        const place = `${file}:${line}`;
        const record = parseJson(text, place, faults);
        if (record === null) return;
        const input = parseCapture(record);
        if (typeof input === 'string') return faults.add(`${place} ${input}`);
        records++;
        hear(input, place);
      });
      faults.refuse(CAPTURE_HINT);
      if (records === 0) throw new FileInvalid(`${file} holds no record`, { hint: CAPTURE_HINT });
    },
  };
}

/** @returns what is wrong with it, when something is. */
function parseCapture(record: Readonly<Record<string, unknown>>): CapturedInput | string {
  const inputs = record['deviceFleetInputs'];
  const about = record['eventMetadata'] as Record<string, unknown> | undefined;
  if (!Array.isArray(inputs) || typeof about !== 'object' || about === null) return 'is no record of CaptureData';
  if (inputs.length !== 1) return `has ${inputs.length} input tensors, not one`;
  const { data, encoding, observedContentType, 'data-ref': reference } = (inputs[0] ?? {}) as Record<string, unknown>;
  if (typeof data !== 'string')
    return typeof reference === 'string' ? `has its input elsewhere: ${reference.slice(0, 120)}` : 'has an input without data';
  if (encoding !== 'BASE64') return `has an input in ${JSON.stringify(encoding)}, not in BASE64`;
  const shape = /^Tensor\[\s*([\w.]+)\s*;\s*(\d{1,9}(?:\s*,\s*\d{1,9})*)\s*\]$/.exec(String(observedContentType));
  if (!shape) return `has an input of ${JSON.stringify(observedContentType)}, not of Tensor[float32; n, …]`;
  if (!/float(32)?$/i.test(shape[1])) return `has an input of ${shape[1]}, not of float32`;
  const sides = shape[2].split(',').map(Number);
  const bytes = Buffer.from(data, 'base64');
  const size = sides.reduce((product, side) => product * side, 1);
  if (bytes.length !== 4 * size) return `has an input of ${bytes.length} bytes, and Tensor[${sides.join(', ')}] has ${4 * size}`;
  const values = Float32Array.from({ length: size }, (_, i) => bytes.readFloatLE(4 * i));
  if (!values.every(Number.isFinite)) return 'has an input with values that are no numbers';
  const time = String(about['inferenceTime']);
  const at = Date.parse(/[Z+]/.test(time.slice(10)) ? time : `${time}Z`);
  if (Number.isNaN(at)) return `has no inferenceTime: ${JSON.stringify(about['inferenceTime'])}`;
  return {
    thing: String(about['deviceId']),
    model: `${String(about['modelName'])}@${String(about['modelVersion'])}`,
    at,
    shape: sides,
    values,
  };
}

function parseJson(text: string, place: string, faults: { add(text: string): void }): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    faults.add(`${place} is no object`);
  } catch (error) {
    faults.add(`${place} is no JSON: ${reasonOf(error)}`);
  }
  return null;
}
