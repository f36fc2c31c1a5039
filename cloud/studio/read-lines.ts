/** A stream of bytes as lines, without ever holding more than a piece of it and one line. */
import { FileInvalid } from '../../actors/contracts/errors.ts';

/** A line lies within `bytes` [from, to), without its end; it holds until the call returns. @param line from 1 */
export type LineHearer = (bytes: Buffer, from: number, to: number, line: number) => void;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** @throws FileInvalid for a line of more than `longest` bytes: nothing more is read then. */
export async function readLines(chunks: AsyncIterable<Uint8Array>, file: string, longest: number, hear: LineHearer): Promise<void> {
  let line = 0;
  let rest = Buffer.alloc(0);
  const say = (bytes: Buffer, from: number, to: number) => {
    line++;
    const start = line === 1 && bytes.subarray(from, from + 3).equals(BYTE_ORDER_MARK) ? from + 3 : from;
    if (to - start > longest) tooLong();
    hear(bytes, start, to > start && bytes[to - 1] === RETURN ? to - 1 : to, line);
  };
  const tooLong = (): never => {
    throw new FileInvalid(`${file}:${line + (rest.length > 0 ? 1 : 0)} is longer than ${longest} bytes`, {
      hint: 'is it text, with an end to each line?',
    });
  };

  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let from = 0;
    if (rest.length > 0) {
      const end = bytes.indexOf(NEWLINE);
      rest = Buffer.concat([rest, end < 0 ? bytes : bytes.subarray(0, end)]);
      if (rest.length > longest + 3) tooLong();
      if (end < 0) continue;
      say(rest, 0, rest.length);
      rest = Buffer.alloc(0);
      from = end + 1;
    }
    for (let end = bytes.indexOf(NEWLINE, from); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      say(bytes, from, end);
      from = end + 1;
    }
    rest = Buffer.from(bytes.subarray(from)); // a copy: the piece may be written over
    if (rest.length > longest + 3) tooLong();
  }
  if (rest.length > 0) say(rest, 0, rest.length);
}
