/** An ONNX file written from values, after the same table that the reader uses; the same values give the same bytes. */
import { type Field, fieldsOf } from './fields.ts';
import type { OnnxModel } from './model.ts';

export function writeOnnx(model: OnnxModel): Uint8Array {
  return Buffer.concat(messageParts(model, 'Model'));
}

function messageParts(message: object, type: string): Uint8Array[] {
  const values = new Map<string, unknown>(Object.entries(message));
  const parts: Uint8Array[] = [];
  for (const [id, field] of fieldsOf(type)) {
    const value = values.get(field.name);
    if (value === undefined) continue;
    if (field.repeated && (field.kind === 'int' || field.kind === 'float')) {
      const packed = (value as readonly number[]).map((x) => (field.kind === 'int' ? varint(x) : float(x)));
      if (packed.length > 0) parts.push(varint((id << 3) | 2), ...withLength(packed));
      continue;
    }
    for (const item of field.repeated ? (value as readonly unknown[]) : [value]) parts.push(...fieldParts(id, field, item));
  }
  return parts;
}

function fieldParts(id: number, field: Field, value: unknown): Uint8Array[] {
  if (field.kind === 'int') return [varint((id << 3) | 0), varint(value as number)];
  if (field.kind === 'float') return [varint((id << 3) | 5), float(value as number)];
  const tag = varint((id << 3) | 2);
  if (field.kind === 'string') return [tag, ...withLength([Buffer.from(value as string)])];
  if (field.kind === 'bytes') return [tag, ...withLength([value as Uint8Array])];
  return [tag, ...withLength(messageParts(value as object, field.of))];
}

const withLength = (parts: Uint8Array[]): Uint8Array[] => [varint(parts.reduce((sum, { length }) => sum + length, 0)), ...parts];

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
