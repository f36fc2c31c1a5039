/**
 * `Content-Encoding: aws-chunked`: a body in chunks, each with its length, perhaps its signature; perhaps headers behind the last.
 *
 *   10000;chunk-signature=… ⏎ 65 536 bytes ⏎ … 0;chunk-signature=… ⏎ x-amz-checksum-crc32:… ⏎ x-amz-trailer-signature:… ⏎ ⏎
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
import { createHash, createHmac, type Hash, timingSafeEqual } from 'node:crypto';
import { mismatch, S3Failure } from './failure.ts';
import type { Signed } from './signature.ts';

const EMPTY_SHA256 = createHash('sha256').digest('hex');
const LONGEST_LINE = 8 * 1024;
const LARGEST_CHUNK = 2 ** 30;

export interface ChunkedForm {
  /** Null: the chunks are not signed. */
  readonly chain: Signed<unknown>['chain'];
  readonly hasTrailer: boolean;
}

/** What kind of chunks `x-amz-content-sha256` announces; null when it announces none. */
export function chunkedForm(payload: string, chain: Signed<unknown>['chain']): ChunkedForm | null {
  switch (payload) {
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { chain: null, hasTrailer: true };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { chain, hasTrailer: false };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { chain, hasTrailer: true };
    default:
      return null;
  }
}

/**
 * The bytes within the chunks. @param trailers is given what stands behind them, by lower-case name
 * @throws S3Failure IncompleteBody, InvalidRequest, MalformedTrailerError, SignatureDoesNotMatch
 */
export async function* unchunked(
  source: AsyncIterable<Uint8Array>,
  { chain, hasTrailer }: ChunkedForm,
  trailers: Map<string, string>,
): AsyncIterable<Uint8Array> {
  const wire = wireOf(source);
  let previous = chain?.seed ?? '';
  const sign = (word: string, ...digests: string[]) =>
    createHmac('sha256', chain!.key)
      .update([`AWS4-HMAC-SHA256-${word}`, chain!.date, chain!.scope, previous, ...digests].join('\n'))
      .digest('hex');

  for (;;) {
    const { length, signature } = readHead(await wire.line());
    const hash: Hash | null = chain ? createHash('sha256') : null;
    for (let left = length; left > 0; ) {
      const piece = await wire.bytes(left);
      left -= piece.length;
      hash?.update(piece);
      yield piece;
    }
    if (hash) {
      previous = checked(signature, sign('PAYLOAD', EMPTY_SHA256, hash.digest('hex')));
    }
    if (length === 0) break;
    if ((await wire.line()) !== '') throw broken('a chunk is not of the length that it says');
  }

  let canonical = '';
  let trailerSignature: string | undefined;
  for (let line = await wire.lastLine(); line !== ''; line = await wire.lastLine()) {
    const at = line.indexOf(':');
    if (!hasTrailer || at < 1) throw badTrailer();
    const [name, value] = [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()];
    if (name === 'x-amz-trailer-signature') trailerSignature = value;
    else {
      if (trailers.has(name)) throw badTrailer();
      trailers.set(name, value);
      canonical += `${name}:${value}\n`;
    }
  }
  if (chain && hasTrailer) checked(trailerSignature, sign('TRAILER', createHash('sha256').update(canonical).digest('hex')));
  if (!(await wire.ended())) throw broken('there are bytes behind the last chunk');
}

function readHead(line: string): { readonly length: number; readonly signature: string | undefined } {
  const match = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?\s*$/.exec(line);
  const length = match ? Number.parseInt(match[1], 16) : Number.NaN;
  if (!match || length > LARGEST_CHUNK) throw broken('a chunk does not begin with its length');
  return { length, signature: match[2] };
}

function checked(given: string | undefined, expected: string): string {
  if (given === undefined || given.length !== expected.length || !timingSafeEqual(Buffer.from(given), Buffer.from(expected)))
    throw mismatch();
  return expected;
}

const broken = (why: string) => new S3Failure('InvalidRequest', `The aws-chunked body is malformed: ${why}`);
export const badTrailer = () =>
  new S3Failure(
    'MalformedTrailerError',
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  );
const endedEarly = () => new S3Failure('IncompleteBody', 'The request body terminated unexpectedly');

/** Lines and bytes off a stream of pieces. */
function wireOf(source: AsyncIterable<Uint8Array>) {
  const pieces = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);

  const more = async (): Promise<boolean> => {
    const { done, value } = await pieces.next();
    if (done) return false;
    const piece = Buffer.from(value.buffer, value.byteOffset, value.length);
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    return true;
  };
  const line = async (endsByEnd: boolean): Promise<string> => {
    for (;;) {
      const at = held.indexOf('\r\n');
      if (at >= 0) {
        const text = held.toString('latin1', 0, at);
        held = held.subarray(at + 2);
        return text;
      }
      if (held.length > LONGEST_LINE) throw broken('a line of it does not end');
      if (await more()) continue;
      if (endsByEnd && held.length === 0) return '';
      throw endedEarly();
    }
  };
  return {
    line: () => line(false),
    /** The empty line behind the last one is often forgotten. */
    lastLine: () => line(true),
    /** At most so many, at least one. */
    async bytes(most: number): Promise<Buffer> {
      while (held.length === 0) if (!(await more())) throw endedEarly();
      const taken = held.subarray(0, most);
      held = held.subarray(taken.length);
      return taken;
    },
    ended: async () => held.length === 0 && !(await more()),
  };
}
