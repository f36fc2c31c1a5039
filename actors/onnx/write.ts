/** An ONNX file written from values, after the same table that the reader uses; the same values give the same bytes. */
import { type Field, fieldsOf } from './fields.ts';
import type { OnnxModel } from './model.ts';

export const writeOnnx = (model: OnnxModel): Uint8Array => messageBytes(model, 'Model');

function messageBytes(message: object, type: string): Uint8Array {
  const values = new Map<string, unknown>(Object.entries(message));
  const parts: Uint8Array[] = [];
  for (const [id, field] of fieldsOf(type)) {
    const value = values.get(field.name);
    if (value === undefined) continue;
    if (field.repeated && (field.kind === 'int' || field.kind === 'float')) {
      const numbers = value as readonly number[];
      const packed = Buffer.concat(numbers.map((x) => (field.kind === 'int' ? varint(x) : float(x))));
      if (packed.length > 0) parts.push(varint((id << 3) | 2), varint(packed.length), packed);
      continue;
    }
    for (const item of field.repeated ? (value as readonly unknown[]) : [value]) pushField(parts, id, field, item);
  }
  return Buffer.concat(parts);
}

function pushField(parts: Uint8Array[], id: number, field: Field, value: unknown): void {
  if (field.kind === 'int') parts.push(varint(id << 3), varint(value as number));
  else if (field.kind === 'float') parts.push(varint((id << 3) | 5), float(value as number));
  else {
    const bytes =
      field.kind === 'string'
        ? Buffer.from(value as string)
        : field.kind === 'bytes'
          ? (value as Uint8Array)
          : messageBytes(value as object, field.of);
    parts.push(varint((id << 3) | 2), varint(bytes.length), bytes);
  }
}

/** An int64 as protobuf writes it: seven bits a byte, ten bytes for a negative one. */
function varint(value: number): Uint8Array {
  const largest = 2n ** 63n - 1n;
  const exact = Number.isSafeInteger(value) ? BigInt(value) : value > 0 ? largest : -largest - 1n;
  let rest = BigInt.asUintN(64, exact);
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

function float(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
