/** A CaptureData call, checked, as what will be stored. */
import { status } from '@grpc/grpc-js';
import type { CaptureEncoding } from '../../actors/contracts/capture.ts';
import type { TensorValue } from '../../actors/contracts/inference.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { isModelName, type WireAuxiliary, type WireCapture } from './protocol.ts';
import { quote, Refusal } from './refusal.ts';
import { inlineBytes, readTensor } from './tensor.ts';

export interface Auxiliary {
  readonly name: string;
  readonly encoding: CaptureEncoding;
  readonly bytes: Uint8Array;
}

export interface Capture {
  readonly id: string;
  readonly model: string;
  /** Epoch milliseconds. */
  readonly at: Millis;
  readonly inputs: readonly TensorValue[];
  readonly outputs: readonly TensorValue[];
  readonly auxiliaryInputs: readonly Auxiliary[];
  readonly auxiliaryOutputs: readonly Auxiliary[];
}

const ENCODINGS: readonly CaptureEncoding[] = ['CSV', 'JSON', 'NONE', 'BASE64'];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MAX_TENSORS = 64;
const CLOCKS_DIFFER_MS = 1_000; // on one machine, between a clock that is set and one that never goes back

/** A capture id in the one spelling in which it is kept. @throws Refusal INVALID_ARGUMENT */
export function readCaptureId(text: string): string {
  if (!UUID.test(text)) throw invalid(`capture id ${quote(text)} is no UUID`);
  return text.toLowerCase();
}

/** @param now epoch milliseconds. @throws Refusal INVALID_ARGUMENT, OUT_OF_RANGE, UNIMPLEMENTED */
export function readCapture(request: WireCapture, now: Millis): Capture {
  const { model_name, capture_id, inference_timestamp, input_tensors, output_tensors, inputs, outputs } = request;
  const id = readCaptureId(capture_id);
  if (!isModelName(model_name)) throw invalid(`${quote(model_name)} is no name of a model`);
  const count = input_tensors.length + output_tensors.length + inputs.length + outputs.length;
  if (count === 0) throw invalid('there is nothing to capture: no tensor, no auxiliary data');
  if (count > MAX_TENSORS) throw invalid(`${count} tensors in one capture; ${MAX_TENSORS} at most`);
  return {
    id,
    model: model_name,
    at: inference_timestamp ? readTimestamp(inference_timestamp, now) : now,
    inputs: input_tensors.map((tensor, i) => readTensor(tensor, `input tensor ${i}`)),
    outputs: output_tensors.map((tensor, i) => readTensor(tensor, `output tensor ${i}`)),
    auxiliaryInputs: inputs.map((data, i) => readAuxiliary(data, `auxiliary input ${i}`)),
    auxiliaryOutputs: outputs.map((data, i) => readAuxiliary(data, `auxiliary output ${i}`)),
  };
}

function readTimestamp({ seconds, nanos }: { readonly seconds: number; readonly nanos: number }, now: Millis): Millis {
  if (seconds < 0 || nanos < 0 || nanos > 999_999_999) throw invalid(`inference timestamp ${seconds} s ${nanos} ns is no time since 1970`);
  const at = seconds * 1_000 + Math.floor(nanos / 1e6);
  if (at > now + CLOCKS_DIFFER_MS)
    throw new Refusal(status.OUT_OF_RANGE, `inference timestamp ${seconds} s lies in the future; it is ${Math.floor(now / 1_000)} s now`);
  return at;
}

function readAuxiliary(data: WireAuxiliary, what: string): Auxiliary {
  const { name } = data;
  const encoding = ENCODINGS[data.encoding];
  if (name === '' || name.length > 256) throw invalid(`${what} has a name of ${name.length} characters; 1 to 256 are allowed`);
  if (/\uFFFD|\p{Surrogate}/u.test(name)) throw invalid(`${what} has a name that is not UTF-8: ${quote(name)}`);
  if (!encoding) throw invalid(`${what} ${quote(name)} has an unknown encoding ${data.encoding}`);
  const bytes = inlineBytes(name, { tensor_metadata: null, ...data });
  if (encoding === 'NONE') return { name, encoding, bytes };
  const text = Buffer.from(bytes).toString('utf8');
  if (text.includes('\uFFFD')) throw invalid(`${what} ${quote(name)} says ${encoding} and is not UTF-8`);
  if (encoding === 'BASE64' && !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw invalid(`${what} ${quote(name)} says BASE64 and is not`);
  return { name, encoding, bytes };
}

const invalid = (message: string) => new Refusal(status.INVALID_ARGUMENT, message);
