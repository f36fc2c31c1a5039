/**
 * Cuts a stream of bytes into MQTT control packets: `[type and flags] [remaining length, 1–4 bytes] [body]` (MQTT 3.1.1 §2.2).
 * A length over the limit is refused before a byte of the body has been kept.
 */
import { Violation } from './mqtt-packets.ts';

export class FrameReader {
  private chunks: Buffer[] = [];
  private bytes = 0;
  private wanted = 2; // of `bytes`, before another look is worth it
  private stopped = false;
  private readonly maxBytes: number;
  private readonly take: (first: number, body: Buffer) => void;

  /** @param take is called a packet at a time; it may call `stop`, and what follows waits. */
  constructor(maxBytes: number, take: (first: number, body: Buffer) => void) {
    this.maxBytes = maxBytes;
    this.take = take;
  }

  /** @throws Violation for a length that is none or is over the limit; and what `take` throws. */
  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    this.cut();
  }

  stop(): void {
    this.stopped = true;
  }

  /** @throws as `push`. */
  resume(): void {
    this.stopped = false;
    this.cut();
  }

  private cut(): void {
    if (this.stopped || this.bytes < this.wanted) return;
    let buffer = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks, this.bytes);
    while (!this.stopped) {
      const head = lengthOf(buffer);
      if (!head) {
        this.wanted = buffer.length + 1;
        break;
      }
      if (head.body > this.maxBytes) throw new Violation('packetTooLarge', `a packet of ${head.body} bytes is over ${this.maxBytes}`);
      const end = head.header + head.body;
      if (buffer.length < end) {
        this.wanted = end;
        break;
      }
      const frame = buffer;
      buffer = buffer.subarray(end);
      this.keep(buffer);
      this.take(frame[0], frame.subarray(head.header, end));
    }
  }

  private keep(rest: Buffer): void {
    this.chunks = rest.length > 0 ? [rest] : [];
    this.bytes = rest.length;
    this.wanted = 2;
  }
}

function lengthOf(buffer: Buffer): { readonly header: number; readonly body: number } | null {
  let body = 0;
  for (let i = 1; i <= 4; i++) {
    if (i >= buffer.length) return null;
    body += (buffer[i] & 0x7f) << (7 * (i - 1));
    if ((buffer[i] & 0x80) === 0) return { header: i + 1, body };
  }
  throw new Violation('malformed', 'a remaining length of more than four bytes');
}
