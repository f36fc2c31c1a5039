/** Reads MQTT control packets (3.1, 3.1.1 and 5). Everything from outside is checked here once; what is wrong is a `Violation`. */
import { isUtf8 } from 'node:buffer';
import { type Connect, type FilterRequest, type MqttVersion, type Packet, Violation, type Will } from './mqtt-packets.ts';

const malformed = (what: string) => new Violation('malformed', what);

/** Walks through a packet's body. */
class Cursor {
  at = 0;
  private readonly body: Buffer;

  constructor(body: Buffer) {
    this.body = body;
  }

  get left(): number {
    return this.body.length - this.at;
  }

  byte(): number {
    this.need(1);
    return this.body[this.at++];
  }

  uint16(): number {
    this.need(2);
    this.at += 2;
    return this.body.readUInt16BE(this.at - 2);
  }

  uint32(): number {
    this.need(4);
    this.at += 4;
    return this.body.readUInt32BE(this.at - 4);
  }

  bytes(length: number): Buffer {
    this.need(length);
    this.at += length;
    return this.body.subarray(this.at - length, this.at);
  }

  binary(): Buffer {
    return this.bytes(this.uint16());
  }

  text(): string {
    const raw = this.binary();
    if (!isUtf8(raw)) throw malformed('a string that is not UTF-8'); // [MQTT-1.5.3-1]
    if (raw.includes(0)) throw malformed('a string with a NUL'); // [MQTT-1.5.3-2]
    return raw.toString('utf8');
  }

  variable(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
    throw malformed('a variable integer of more than four bytes');
  }

  rest(): Buffer {
    return this.bytes(this.left);
  }

  since(start: number): Buffer {
    return this.body.subarray(start, this.at);
  }

  private need(length: number): void {
    if (this.left < length) throw malformed('a packet that ends too soon');
  }
}

/** @throws Violation */
export function decode(first: number, body: Buffer, version: MqttVersion | null): Packet {
  const at = new Cursor(body);
  const flags = first & 0x0f;
  const type = first >> 4;
  if (version === null && type !== 1) throw new Violation('protocolError', 'the first packet is no CONNECT'); // [MQTT-3.1.0-1]
  // [MQTT-2.2.2-2]: reserved flags as the standard has them
  if (type !== 3 && flags !== (type === 6 || type === 8 || type === 10 ? 2 : 0))
    throw malformed(`flags ${flags} in a packet of type ${type}`);
  switch (type) {
    case 1:
      return connect(at);
    case 3:
      return publish(at, flags, version!);
    case 4:
    case 5:
    case 6:
    case 7:
      return { cmd: (['puback', 'pubrec', 'pubrel', 'pubcomp'] as const)[type - 4], messageId: at.uint16() };
    case 8:
      return subscribe(at, version!);
    case 10:
      return unsubscribe(at, version!);
    case 12:
      return { cmd: 'pingreq' };
    case 14: {
      const reason = version === 5 && at.left > 0 ? at.byte() : 0;
      const { sessionExpiryS } = version === 5 && at.left > 0 ? properties(at) : NO_PROPERTIES;
      return { cmd: 'disconnect', withWill: reason === 4, sessionExpiryS };
    }
    default:
      throw new Violation('protocolError', `a packet of type ${type}`);
  }
}

function connect(at: Cursor): Connect {
  const name = at.text();
  const level = at.byte();
  const known = (name === 'MQTT' && (level === 4 || level === 5)) || (name === 'MQIsdp' && level === 3);
  if (!known) throw new Violation('versionUnsupported', `protocol ${name.slice(0, 16)} ${level}`); // [MQTT-3.1.2-2]
  const version = level as MqttVersion;
  const flags = at.byte();
  if (flags & 1) throw malformed('the reserved flag of CONNECT'); // [MQTT-3.1.2-3]
  const keepAliveS = at.uint16();
  const { sessionExpiryS, receiveMaximum, maximumPacket } = version === 5 ? properties(at) : NO_PROPERTIES;
  const clientId = at.text();
  const willQos = (flags >> 3) & 3;
  if (willQos === 3) throw malformed('a will of QoS 3');
  let will: Will | null = null;
  if (flags & 4) {
    const willProperties = version === 5 ? rawProperties(at) : null;
    will = { topic: at.text(), payload: at.binary(), qos: willQos as 0 | 1 | 2, retain: (flags & 32) !== 0, properties: willProperties };
  } else if (flags & 0x38) throw malformed('a will’s flags without a will'); // [MQTT-3.1.2-11]
  if (version < 5 && !(flags & 128) && flags & 64) throw malformed('a password without a name'); // [MQTT-3.1.2-22]
  if (flags & 128) at.text();
  if (flags & 64) at.binary();
  if (at.left > 0) throw malformed('bytes after the payload of CONNECT');
  return { cmd: 'connect', version, clientId, clean: (flags & 2) !== 0, keepAliveS, will, sessionExpiryS, receiveMaximum, maximumPacket };
}

/** The payload is a copy: a queued message must not hold the whole chunk that it came in. */
function publish(at: Cursor, flags: number, version: MqttVersion): Packet {
  const qos = (flags >> 1) & 3;
  if (qos === 3) throw malformed('a publication of QoS 3'); // [MQTT-3.3.1-4]
  const topic = at.text();
  const messageId = qos > 0 ? at.uint16() : 0;
  if (qos > 0 && messageId === 0) throw malformed('a message id of 0'); // [MQTT-2.3.1-1]
  const raw = version === 5 ? rawProperties(at) : null;
  return {
    cmd: 'publish',
    topic,
    payload: Buffer.from(at.rest()),
    qos: qos as 0 | 1 | 2,
    retain: (flags & 1) !== 0,
    messageId,
    properties: raw,
  };
}

function subscribe(at: Cursor, version: MqttVersion): Packet {
  const messageId = messageIdOf(at);
  const { hasIdentifier } = version === 5 ? properties(at) : NO_PROPERTIES;
  const filters: FilterRequest[] = [];
  while (at.left > 0) {
    const filter = at.text();
    const options = at.byte();
    const qos = options & 3;
    if (qos === 3 || options & (version === 5 ? 0xc0 : 0xfc)) throw malformed(`subscription options ${options}`); // [MQTT-3-8.3-4]
    filters.push({
      filter,
      qos,
      noLocal: (options & 4) !== 0,
      retainAsPublished: (options & 8) !== 0,
      retainHandling: (options >> 4) & 3,
    });
  }
  if (filters.length === 0) throw new Violation('protocolError', 'a SUBSCRIBE without filters'); // [MQTT-3.8.3-3]
  return { cmd: 'subscribe', messageId, filters, hasIdentifier };
}

function unsubscribe(at: Cursor, version: MqttVersion): Packet {
  const messageId = messageIdOf(at);
  if (version === 5) properties(at);
  const filters: string[] = [];
  while (at.left > 0) filters.push(at.text());
  if (filters.length === 0) throw new Violation('protocolError', 'an UNSUBSCRIBE without filters'); // [MQTT-3.10.3-2]
  return { cmd: 'unsubscribe', messageId, filters };
}

function messageIdOf(at: Cursor): number {
  const id = at.uint16();
  if (id === 0) throw malformed('a message id of 0');
  return id;
}

interface Properties {
  readonly sessionExpiryS: number | null;
  readonly receiveMaximum: number | null;
  readonly maximumPacket: number | null;
  readonly hasIdentifier: boolean;
  readonly hasAlias: boolean;
}

const NO_PROPERTIES: Properties = {
  sessionExpiryS: null,
  receiveMaximum: null,
  maximumPacket: null,
  hasIdentifier: false,
  hasAlias: false,
};

/** MQTT 5 §2.2.2. */
function properties(at: Cursor): Properties {
  const end = at.variable() + at.at;
  const found = { ...NO_PROPERTIES } as { -readonly [K in keyof Properties]: Properties[K] };
  if (end - at.at > at.left) throw malformed('properties that end after their packet');
  while (at.at < end) {
    const id = at.variable();
    switch (id) {
      case 0x01: // payload format
      case 0x17: // request problem information
      case 0x19: // request response information
        at.byte();
        break;
      case 0x02: // message expiry
      case 0x18: // will delay
        at.uint32();
        break;
      case 0x11:
        found.sessionExpiryS = at.uint32();
        break;
      case 0x21:
        found.receiveMaximum = at.uint16();
        if (found.receiveMaximum === 0) throw new Violation('protocolError', 'a receive maximum of 0');
        break;
      case 0x22: // topic aliases that the client takes: we give none
        at.uint16();
        break;
      case 0x23:
        found.hasAlias = true;
        at.uint16();
        break;
      case 0x27:
        found.maximumPacket = at.uint32();
        if (found.maximumPacket === 0) throw new Violation('protocolError', 'a maximum packet size of 0');
        break;
      case 0x0b:
        found.hasIdentifier = true;
        at.variable();
        break;
      case 0x03: // content type
      case 0x08: // response topic
      case 0x15: // authentication method
      case 0x1f: // reason
        at.text();
        break;
      case 0x09: // correlation data
      case 0x16: // authentication data
        at.binary();
        break;
      case 0x26: // a user's own
        at.text();
        at.text();
        break;
      default:
        throw malformed(`property ${id}`);
    }
  }
  if (at.at !== end) throw malformed('a property that ends after the others');
  return found;
}

/** The block with its length, checked; null when it is empty. */
function rawProperties(at: Cursor): Buffer | null {
  const start = at.at;
  const { hasAlias, hasIdentifier } = properties(at);
  if (hasAlias) throw new Violation('protocolError', 'a topic alias, of which none was offered');
  if (hasIdentifier) throw new Violation('protocolError', 'a subscription identifier from a client');
  const block = at.since(start);
  return block.length > 1 ? Buffer.from(block) : null;
}
