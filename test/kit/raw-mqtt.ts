/** An MQTT 3.1.1 client that does exactly what it is told, well-formed or not, and remembers what it got. */
import type { Socket } from 'node:net';

export interface RawPacket {
  readonly cmd: 'connack' | 'publish' | 'puback' | 'suback' | 'unsuback' | 'pingresp' | 'other';
  readonly code?: number;
  readonly sessionPresent?: boolean;
  readonly granted?: number[];
  readonly topic?: string;
  readonly payload?: Buffer;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly messageId?: number;
}

export class RawClient {
  readonly got: RawPacket[] = [];
  readonly socket: Socket;
  /** Whether QoS 1 messages are acknowledged by themselves. */
  acknowledges = true;
  private taken = 0;
  private buffer = Buffer.alloc(0);
  private isOver = false;
  private readonly waiting: (() => void)[] = [];
  private nextId = 1;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isOver = true;
      this.wake();
    });
    socket.on('data', (chunk: Buffer) => {
      this.buffer = Buffer.concat([this.buffer, chunk]);
      this.cut();
      this.wake();
    });
  }

  connect({
    clientId,
    clean = true,
    keepAliveS = 0,
    will,
  }: {
    readonly clientId: string;
    readonly clean?: boolean;
    readonly keepAliveS?: number;
    readonly will?: { readonly topic: string; readonly payload: string; readonly qos: 0 | 1; readonly retain: boolean };
  }): void {
    const flags = (clean ? 2 : 0) | (will ? 4 | (will.qos << 3) | (will.retain ? 32 : 0) : 0);
    const parts = [text('MQTT'), Buffer.from([4, flags, keepAliveS >> 8, keepAliveS & 255]), text(clientId)];
    if (will) parts.push(text(will.topic), text(will.payload));
    this.socket.write(frame(0x10, parts));
  }

  subscribe(filters: readonly { readonly filter: string; readonly qos: 0 | 1 }[]): void {
    this.socket.write(frame(0x82, [id(this.nextId++), ...filters.flatMap(({ filter, qos }) => [text(filter), Buffer.from([qos])])]));
  }

  publish(message: {
    readonly topic: string;
    readonly payload: string | Buffer;
    readonly qos: 0 | 1;
    readonly retain?: boolean;
    readonly messageId?: number;
  }): void {
    this.socket.write(publishFrame(message));
  }

  /** The next packet of a kind that has not been asked for. @throws Error when the connection ends before. */
  async next(cmd: RawPacket['cmd']): Promise<RawPacket> {
    for (;;) {
      for (; this.taken < this.got.length; this.taken++) if (this.got[this.taken].cmd === cmd) return this.got[this.taken++];
      if (this.isOver) throw new Error(`the connection ended before a ${cmd}; got ${this.got.map((one) => one.cmd).join(' ')}`);
      await new Promise<void>((done) => this.waiting.push(done));
    }
  }

  /** Resolves once as many packets of a kind have come, or the connection has ended. */
  async count(cmd: RawPacket['cmd'], wanted: number): Promise<number> {
    for (;;) {
      const have = this.got.filter((packet) => packet.cmd === cmd).length;
      if (have >= wanted || this.isOver) return have;
      await new Promise<void>((done) => this.waiting.push(done));
    }
  }

  /** Resolves when the connection has ended. */
  async ended(): Promise<boolean> {
    while (!this.isOver) await new Promise<void>((done) => this.waiting.push(done));
    return true;
  }

  private wake(): void {
    for (const done of this.waiting.splice(0)) done();
  }

  private cut(): void {
    let at = 0;
    for (;;) {
      let length = 0;
      let i = 1;
      for (; i <= 4; i++) {
        if (at + i >= this.buffer.length) break;
        length += (this.buffer[at + i] & 127) << (7 * (i - 1));
        if (this.buffer[at + i] < 128) break;
      }
      const start = at + i + 1;
      if (at + i >= this.buffer.length || start + length > this.buffer.length) break;
      this.read(this.buffer[at], this.buffer.subarray(start, start + length));
      at = start + length;
    }
    this.buffer = this.buffer.subarray(at);
  }

  private read(first: number, body: Buffer): void {
    switch (first >> 4) {
      case 2:
        this.got.push({ cmd: 'connack', sessionPresent: body[0] === 1, code: body[1] });
        return;
      case 3: {
        const qos = (first >> 1) & 3;
        const end = 2 + body.readUInt16BE(0);
        const messageId = qos > 0 ? body.readUInt16BE(end) : 0;
        const payload = Buffer.from(body.subarray(end + (qos > 0 ? 2 : 0)));
        this.got.push({ cmd: 'publish', topic: body.toString('utf8', 2, end), payload, qos, retain: (first & 1) === 1, messageId });
        if (qos > 0 && this.acknowledges) this.socket.write(Buffer.from([0x40, 2, messageId >> 8, messageId & 255]));
        return;
      }
      case 4:
        this.got.push({ cmd: 'puback', messageId: body.readUInt16BE(0) });
        return;
      case 9:
        this.got.push({ cmd: 'suback', messageId: body.readUInt16BE(0), granted: [...body.subarray(2)] });
        return;
      default:
        this.got.push({ cmd: 'other', code: first });
    }
  }
}

export function publishFrame({
  topic,
  payload,
  qos,
  retain = false,
  messageId = 1,
}: {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1;
  readonly retain?: boolean;
  readonly messageId?: number;
}): Buffer {
  const parts = [text(topic), ...(qos > 0 ? [id(messageId)] : []), Buffer.from(payload as string)];
  return frame(0x30 | (qos << 1) | (retain ? 1 : 0), parts);
}

function frame(first: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest & 127) | (rest > 127 ? 128 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

const id = (n: number) => Buffer.from([n >> 8, n & 255]);
const text = (value: string) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([id(bytes.length), bytes]);
};
