/** Writes the MQTT control packets that a broker sends. */
import { type MqttVersion, REASONS, type Reason } from './mqtt-packets.ts';

const NO_PROPERTIES = Buffer.from([0]);

/** MQTT 3.1.1 §3.2.2.3: its five ways to refuse a connection. */
const RETURN_CODES: Partial<Record<Reason, number>> = {
  versionUnsupported: 1,
  identifierInvalid: 2,
  unavailable: 3,
  rateExceeded: 3,
  quotaExceeded: 3,
};

export function connackRefused(version: MqttVersion, reason: Reason): Buffer {
  if (version === 5) return Buffer.from([0x20, 3, 0, REASONS[reason], 0]);
  return Buffer.from([0x20, 2, 0, RETURN_CODES[reason] ?? 5]); // 5: not authorised
}

export interface Terms {
  readonly sessionPresent: boolean;
  /** Of a client that sent none. */
  readonly assignedId: string | null;
  readonly keepAliveS: number;
  readonly sessionExpiryS: number;
  readonly receiveMaximum: number;
  readonly maximumPacket: number;
}

export function connackAccepted(version: MqttVersion, terms: Terms): Buffer {
  const flags = terms.sessionPresent ? 1 : 0;
  if (version < 5) return Buffer.from([0x20, 2, flags, 0]);
  const properties = Buffer.concat([
    Buffer.from([0x11, ...uint32(terms.sessionExpiryS), 0x21, ...uint16(terms.receiveMaximum), 0x24, 1]), // maximum QoS 1
    Buffer.from([0x27, ...uint32(terms.maximumPacket), 0x13, ...uint16(terms.keepAliveS), 0x29, 0, 0x2a, 0]), // no identifiers, no sharing
    ...(terms.assignedId === null ? [] : [Buffer.from([0x12]), text(terms.assignedId)]),
  ]);
  return packet(0x20, [Buffer.from([flags, 0]), lengthBytes(properties.length), properties]);
}

export function publishPacket(
  version: MqttVersion,
  message: { readonly topic: string; readonly payload: Uint8Array; readonly properties?: Buffer | null },
  { qos, retain, dup, messageId }: { readonly qos: 0 | 1; readonly retain: boolean; readonly dup: boolean; readonly messageId: number },
): Buffer {
  const properties = version === 5 ? (message.properties ?? NO_PROPERTIES) : null;
  const topicBytes = Buffer.byteLength(message.topic);
  const body = 2 + topicBytes + (qos > 0 ? 2 : 0) + (properties?.length ?? 0) + message.payload.length;
  const head = lengthBytes(body);
  const bytes = Buffer.allocUnsafe(1 + head.length + body);
  bytes[0] = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
  let at = 1 + head.copy(bytes, 1);
  at = bytes.writeUInt16BE(topicBytes, at);
  at += bytes.write(message.topic, at);
  if (qos > 0) at = bytes.writeUInt16BE(messageId, at);
  if (properties) at += properties.copy(bytes, at);
  bytes.set(message.payload, at);
  return bytes;
}

/** PUBACK; `refused` is version 5's only. */
export function puback(version: MqttVersion, messageId: number, refused: Reason | null = null): Buffer {
  if (version === 5 && refused) return Buffer.from([0x40, 3, ...uint16(messageId), REASONS[refused]]);
  return Buffer.from([0x40, 2, messageId >> 8, messageId & 0xff]);
}

/** A granted QoS a filter, or why it was refused: 0x80 in 3.1.1. */
export function suback(version: MqttVersion, messageId: number, granted: readonly (0 | 1 | Reason)[]): Buffer {
  const codes = granted.map((one) => (typeof one === 'number' ? one : version === 5 ? REASONS[one] : 0x80));
  return packet(0x90, [Buffer.from(uint16(messageId)), ...(version === 5 ? [NO_PROPERTIES] : []), Buffer.from(codes)]);
}

export function unsuback(version: MqttVersion, messageId: number, found: readonly boolean[]): Buffer {
  const codes = version === 5 ? [NO_PROPERTIES, Buffer.from(found.map((was) => (was ? 0 : 0x11)))] : [];
  return packet(0xb0, [Buffer.from(uint16(messageId)), ...codes]);
}

export const PINGRESP = Buffer.from([0xd0, 0]);

/** Version 5 only: 3.1.1 has no DISCONNECT from a server. */
export const disconnectPacket = (reason: Reason): Buffer => Buffer.from([0xe0, 1, REASONS[reason]]);

function packet(first: number, parts: readonly Buffer[]): Buffer {
  const body = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([first]), lengthBytes(body), ...parts]);
}

function lengthBytes(length: number): Buffer {
  const bytes: number[] = [];
  do {
    const more = length >> 7;
    bytes.push((length & 0x7f) | (more > 0 ? 0x80 : 0));
    length = more;
  } while (length > 0);
  return Buffer.from(bytes);
}

const uint16 = (n: number) => [(n >> 8) & 0xff, n & 0xff];
const uint32 = (n: number) => [(n >>> 24) & 0xff, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff];
const text = (value: string) => Buffer.concat([Buffer.from(uint16(Buffer.byteLength(value))), Buffer.from(value)]);
