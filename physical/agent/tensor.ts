/** Tensors between the wire and a model: names, types, shapes and sizes are checked before the model sees a byte. */
import { status } from '@grpc/grpc-js';
import { BYTES_PER_ELEMENT, type TensorSpec, type TensorValue } from '../../actors/contracts/inference.ts';
import { DATA_TYPES, type WireMetadata, type WireTensor } from './protocol.ts';
import { quote, Refusal } from './refusal.ts';

/** Rows that one call may bring: a network's own memory grows with them. */
const MAX_ROWS = 1_024;

/** As clients read it. A size that the call decides is listed as 1: what a client sends that takes the list at its word. */
export const wireSpec = ({ name, type, shape }: TensorSpec): WireMetadata => ({
  name,
  data_type: DATA_TYPES.indexOf(type),
  shape: shape.map((size) => size ?? 1),
});

export const wireTensor = ({ name, type, shape, bytes }: TensorValue): WireTensor => ({
  tensor_metadata: { name, data_type: DATA_TYPES.indexOf(type), shape },
  byte_data: bytes,
});

/**
 * The tensors of a call as the model's inputs, in the model's order.
 * @throws Refusal INVALID_ARGUMENT naming the tensor, what it is and what it must be; UNIMPLEMENTED for shared memory.
 */
export function readInputs(specs: readonly TensorSpec[], tensors: readonly WireTensor[]): TensorValue[] {
  const given = new Map<string, TensorValue>();
  for (const [i, tensor] of tensors.entries()) {
    const name = tensor.tensor_metadata?.name || (specs[i]?.name ?? ''); // without a name its place counts
    const spec = specs.find((input) => input.name === name);
    if (!spec) throw invalid(`no input ${quote(name)}; the model's inputs: ${specs.map((input) => input.name).join(', ')}`);
    if (given.has(name)) throw invalid(`input ${name} is there twice`);
    given.set(name, readInput(spec, tensor));
  }
  return specs.map((spec) => {
    const value = given.get(spec.name);
    if (!value) throw invalid(`input ${spec.name} is missing`);
    return value;
  });
}

function readInput(spec: TensorSpec, tensor: WireTensor): TensorValue {
  const bytes = inlineBytes(spec.name, tensor);
  const metadata = tensor.tensor_metadata;
  const type = metadata === null ? spec.type : DATA_TYPES[metadata.data_type];
  if (type !== spec.type)
    throw invalid(`tensor type mismatch: ${spec.name} is ${label(spec.type)}, got ${label(type ?? `type ${metadata?.data_type}`)}`);
  const shape = metadata === null || metadata.shape.length === 0 ? inferredShape(spec, bytes.length) : metadata.shape;
  const fits = shape.length === spec.shape.length && shape.every((size, d) => size === (spec.shape[d] ?? size));
  if (!fits) throw invalid(`tensor shape mismatch: ${spec.name} is ${printShape(spec.shape)}, got ${printShape(shape)}`);
  checkSizes(spec.name, shape);
  if ((shape[0] ?? 1) > MAX_ROWS && spec.shape[0] === null)
    throw invalid(`${spec.name}: ${shape[0]} rows in one call; ${MAX_ROWS} at most`);
  const wanted = byteCount(spec.type, shape);
  if (bytes.length !== wanted)
    throw invalid(
      `input-size mismatch: ${spec.name} ${printShape(shape)} ${label(spec.type)} wants ${wanted} bytes, got ${bytes.length} bytes`,
    );
  return { name: spec.name, type: spec.type, shape, bytes };
}

/** A tensor that is kept rather than asked: any name, its bytes as many as it says. @throws Refusal as above */
export function readTensor(tensor: WireTensor, what: string): TensorValue {
  const metadata = tensor.tensor_metadata;
  if (metadata === null) throw invalid(`${what} has no metadata`);
  const { name, data_type, shape } = metadata;
  if (name === '' || name.length > 256) throw invalid(`${what} has a name of ${name.length} characters; 1 to 256 are allowed`);
  if (/\uFFFD|\p{Surrogate}/u.test(name)) throw invalid(`${what} has a name that is not UTF-8: ${quote(name)}`);
  const type = DATA_TYPES[data_type];
  if (!type) throw invalid(`${what} ${quote(name)} is of an unknown type ${data_type}`);
  const bytes = inlineBytes(name, tensor);
  checkSizes(name, shape);
  const wanted = byteCount(type, shape);
  if (bytes.length !== wanted)
    throw invalid(`${what} ${quote(name)} ${printShape(shape)} ${label(type)} wants ${wanted} bytes, got ${bytes.length} bytes`);
  return { name, type, shape, bytes };
}

/** @throws Refusal UNIMPLEMENTED: a SysV segment cannot be reached from here, and the handle names no POSIX one. */
export function inlineBytes(name: string, { byte_data, shared_memory_handle }: WireTensor): Uint8Array {
  if (shared_memory_handle)
    throw new Refusal(
      status.UNIMPLEMENTED,
      `${quote(name)} lies in shared memory, which this agent cannot reach; send it inline, in byte_data (a message holds 16 MB)`,
    );
  return byte_data ?? new Uint8Array(0);
}

/** The model's shape, its one open size counted from the bytes. */
function inferredShape({ type, shape }: TensorSpec, bytes: number): readonly number[] {
  const fixed = shape.reduce<number>((product, size) => product * (size ?? 1), BYTES_PER_ELEMENT[type]);
  const open = shape.indexOf(null);
  if (open < 0 || shape.indexOf(null, open + 1) >= 0) return shape.map((size) => size ?? 1);
  return shape.map((size) => size ?? Math.max(1, Math.floor(bytes / fixed)));
}

function checkSizes(name: string, shape: readonly number[]): void {
  if (shape.length > 16) throw invalid(`${quote(name)} has ${shape.length} dimensions; 16 at most`);
  const wrong = shape.findIndex((size) => size < 1);
  if (wrong >= 0) throw invalid(`${quote(name)} ${printShape(shape)}: dimension ${wrong} is ${shape[wrong]}, and must be at least 1`);
}

const byteCount = (type: TensorSpec['type'], shape: readonly number[]) =>
  shape.reduce((product, size) => product * size, BYTES_PER_ELEMENT[type]);

const label = (type: string) => type.toUpperCase();
const printShape = (shape: readonly (number | null)[]) =>
  `[${shape
    .slice(0, 16)
    .map((size) => size ?? 'any')
    .join(', ')}${shape.length > 16 ? ', …' : ''}]`;
const invalid = (message: string) => new Refusal(status.INVALID_ARGUMENT, message);
