/** Lines of an object of any size, one after the other: what is too long is told and not kept. */

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Its bytes, without the line's end; of one that is too long the first of them. */
  readonly bytes: Uint8Array;
  readonly isTooLong: boolean;
  /** Of all of it. */
  readonly length: number;
}

const NEWLINE = 0x0a;

/** Empty lines are left out. @param max bytes of a line */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, max: number): AsyncGenerator<Line> {
  let parts: Uint8Array[] = [];
  let held = 0;
  let length = 0;
  let isTooLong = false;
  let number = 1;
  const take = (bytes: Uint8Array) => {
    length += bytes.length;
    if (length > max) isTooLong = true;
    const kept = bytes.subarray(0, Math.max(0, max - held));
    if (kept.length > 0) parts.push(kept);
    held += kept.length;
  };
  const line = (): Line => {
    const made = { number, bytes: Buffer.concat(parts), isTooLong, length };
    parts = [];
    held = 0;
    length = 0;
    isTooLong = false;
    number++;
    return made;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE, from); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, end));
      const whole = line();
      if (whole.bytes.length > 0) yield whole;
      from = end + 1;
    }
    take(chunk.subarray(from));
  }
  const last = line();
  if (last.bytes.length > 0) yield last;
}
