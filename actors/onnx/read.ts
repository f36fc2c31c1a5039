/**
 * A strict reader of an ONNX file: the protobuf wire format, field by field after the table, within `LIMITS`.
 *
 * Stricter than protobuf asks: a field outside the table, a single field said twice (readers differ in which one counts) and a group
 * are refused, so that what has been checked is what ONNX Runtime will see. Nothing is copied but numbers; bytes are views.
 */
import { OnnxFault, shown } from './fault.ts';
import { EXTERNAL, type Field, fieldsOf } from './fields.ts';
import { LIMITS } from './limits.ts';
import type { OnnxModel } from './model.ts';

const WIRE = { varint: 0, fixed64: 1, length: 2, fixed32: 5 } as const;

/** @throws OnnxFault when it is no ONNX, is cut short, or goes beyond a limit. */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  if (bytes.length === 0) throw new OnnxFault('it is empty');
  if (bytes.length > LIMITS.bytes) throw new OnnxFault(`it has ${bytes.length} bytes; the limit is ${LIMITS.bytes}`, 'network.limit');
  const cursor: Cursor = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0, numbers: 0 };
  const model = readMessage(cursor, bytes.length, 'Model') as OnnxModel;
  if (model.irVersion === undefined || !model.graph) throw new OnnxFault('it is no ONNX: it names no ir_version or holds no graph');
  return model;
}

interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  /** In all lists of them so far. */
  numbers: number;
}

/** Messages nest at most as deep as the table, which has no cycle: subgraphs are refused. */
function readMessage(cursor: Cursor, end: number, type: string): Record<string, unknown> {
  const fields = fieldsOf(type);
  const message: Record<string, unknown> = {};
  while (cursor.at < end) {
    const began = cursor.at;
    const tag = readLength(cursor, end, 'a tag');
    const field = fields.get(tag >>> 3);
    if (!field) throw new OnnxFault(`it is no ONNX: ${type} has no field ${tag >>> 3} (at byte ${began})`);
    if (field.kind === 'refuse') throw new OnnxFault(field.why, field.why === EXTERNAL ? 'network.external' : 'network.operator');
    readField(cursor, end, tag & 7, field, message, `${type}.${field.name}`);
  }
  return message;
}

function readField(cursor: Cursor, end: number, wire: number, field: Field, message: Record<string, unknown>, where: string): void {
  const isNumber = field.kind === 'int' || field.kind === 'float';
  if (field.kind === 'skip') {
    skipField(cursor, end, wire, where);
    return;
  }
  if (isNumber && field.repeated && wire === WIRE.length) {
    readPacked(cursor, end, field, message, where);
    return;
  }
  const wanted = field.kind === 'int' ? WIRE.varint : field.kind === 'float' ? WIRE.fixed32 : WIRE.length;
  if (wire !== wanted) throw new OnnxFault(`it is no ONNX: ${where} has wire type ${wire}, not ${wanted}`);

  const value = readValue(cursor, end, field, where);
  if (!field.repeated) {
    if (message[field.name] !== undefined) throw new OnnxFault(`${where} is said twice`);
    message[field.name] = value;
    return;
  }
  const list = listOf<unknown>(message, field.name);
  list.push(value);
  if (isNumber) countNumber(cursor);
  const limit = limitOf(where, isNumber);
  if (list.length > limit) throw new OnnxFault(`${where} has more than ${limit} entries`, 'network.limit');
}

function limitOf(where: string, isNumber: boolean): number {
  if (where === 'Graph.node') return LIMITS.nodes;
  if (where === 'Tensor.dims' || where === 'Shape.dim' || where.startsWith('Node.')) return LIMITS.few;
  return isNumber ? LIMITS.elements : LIMITS.entries;
}

/** A number of one byte in the file takes eight in memory. */
function countNumber(cursor: Cursor): void {
  cursor.numbers++;
  if (cursor.numbers > LIMITS.elements) throw new OnnxFault(`it has more than ${LIMITS.elements} numbers in lists`, 'network.limit');
}

function listOf<T>(message: Record<string, unknown>, name: string): T[] {
  message[name] ??= [];
  return message[name] as T[];
}

function readValue(cursor: Cursor, end: number, field: Field, where: string): unknown {
  if (field.kind === 'int') return readVarint(cursor, end, where);
  if (field.kind === 'float') return readFloat(cursor, end, where);
  const until = readEnd(cursor, end, where);
  if (field.kind === 'message') return readMessage(cursor, until, field.of);
  const bytes = cursor.bytes.subarray(cursor.at, until);
  cursor.at = until;
  if (field.kind === 'bytes') return bytes;
  if (bytes.length > LIMITS.nameBytes)
    throw new OnnxFault(`${where} is a name of ${bytes.length} bytes; the limit is ${LIMITS.nameBytes}`, 'network.limit');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new OnnxFault(`${where} is no UTF-8: ${shown(Buffer.from(bytes).toString('latin1'))}`);
  }
}

function readPacked(cursor: Cursor, end: number, field: Field, message: Record<string, unknown>, where: string): void {
  const until = readEnd(cursor, end, where);
  const list = listOf<number>(message, field.name);
  const limit = limitOf(where, true);
  while (cursor.at < until) {
    list.push(field.kind === 'int' ? readVarint(cursor, until, where) : readFloat(cursor, until, where));
    countNumber(cursor);
    if (list.length > limit) throw new OnnxFault(`${where} has more than ${limit} numbers`, 'network.limit');
  }
}

function skipField(cursor: Cursor, end: number, wire: number, where: string): void {
  if (wire === WIRE.varint) {
    readVarint(cursor, end, where);
    return;
  }
  if (wire !== WIRE.length) throw new OnnxFault(`it is no ONNX: ${where} has wire type ${wire}`);
  const until = readEnd(cursor, end, where);
  if (until - cursor.at > LIMITS.textBytes)
    throw new OnnxFault(`${where} has ${until - cursor.at} bytes of text; the limit is ${LIMITS.textBytes}`, 'network.limit');
  cursor.at = until;
}

/** Where the field that begins with its length ends. */
function readEnd(cursor: Cursor, end: number, where: string): number {
  const length = readLength(cursor, end, where);
  if (length > end - cursor.at)
    throw new OnnxFault(`it is cut short: ${where} at byte ${cursor.at} says ${length} bytes, ${end - cursor.at} are left`);
  return cursor.at + length;
}

/** A varint that is a tag or a length: below 2³². */
function readLength(cursor: Cursor, end: number, where: string): number {
  const value = readVarint(cursor, end, where);
  if (value < 0 || value >= 2 ** 32) throw new OnnxFault(`it is no ONNX: ${where} at byte ${cursor.at} says a length of ${value}`);
  return value;
}

/** An int64; what lies beyond ±2⁵³ comes out as the nearest double, and is written back within int64. */
function readVarint(cursor: Cursor, end: number, where: string): number {
  let value = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = readByte(cursor, end, where);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  let wide = BigInt(value);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = readByte(cursor, end, where);
    wide |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return Number(BigInt.asIntN(64, wide));
  }
  throw new OnnxFault(`it is no ONNX: ${where} at byte ${cursor.at} is a number of more than ten bytes`, 'network.limit');
}

function readByte(cursor: Cursor, end: number, where: string): number {
  if (cursor.at >= end) throw new OnnxFault(`it is cut short: ${where} ends at byte ${cursor.at} in the middle of a number`);
  return cursor.bytes[cursor.at++];
}

function readFloat(cursor: Cursor, end: number, where: string): number {
  if (end - cursor.at < 4) throw new OnnxFault(`it is cut short: ${where} ends at byte ${cursor.at} in the middle of a number`);
  cursor.at += 4;
  return cursor.view.getFloat32(cursor.at - 4, true);
}
