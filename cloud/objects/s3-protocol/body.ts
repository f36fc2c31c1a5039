/**
 * The body of a request as it comes in, and what it must have been once it has: its length, its digests, its checksum. Nothing of it
 * is kept here, so an object of any size goes by.
 */
import type { IncomingMessage } from 'node:http';
import { ALGORITHMS, type Algorithm, type Checksum } from '../held.ts';
import { type Digests, digesting } from '../digesting.ts';
import { BYTES_OF, type Summing } from './checksums.ts';
import { badTrailer, chunkedForm, unchunked } from './chunked.ts';
import { notImplemented, S3Failure } from './failure.ts';
import type { S3Request } from './request.ts';
import type { Signed } from './signature.ts';

const IDLE_MS = 20_000;

export interface Incoming {
  /** Once. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** @throws S3Failure BadDigest, XAmzContentSHA256Mismatch, IncompleteBody, MalformedTrailerError when the bytes that went by are not those that were announced */
  check(digests: Digests): { readonly checksum?: Checksum };
}

/**
 * @param limit bytes. @param wanted a checksum that is made though the client sends none
 * @throws S3Failure for what can be told before the first byte
 */
export function incomingBody(
  { headers, body }: S3Request,
  { payload, chain }: Signed<unknown>,
  sums: (algorithm: Algorithm) => Summing,
  { limit, wanted = null }: { readonly limit: number; readonly wanted?: Algorithm | null },
): Incoming {
  const form = chunkedForm(payload, chain);
  if (!form && payload !== 'UNSIGNED-PAYLOAD' && !/^[0-9a-f]{64}$/.test(payload))
    throw payload.startsWith('STREAMING-')
      ? notImplemented(`x-amz-content-sha256 ${payload}`)
      : new S3Failure('InvalidArgument', 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- word, or a SHA-256 in hexadecimal');
  if (form && !form.chain && payload.startsWith('STREAMING-AWS4'))
    throw new S3Failure('InvalidRequest', 'signed chunks need a signed header');
  const announced = headers.get(form ? 'x-amz-decoded-content-length' : 'content-length');
  const length = announced === undefined ? (form || hasBody(body) ? null : 0) : Number(announced);
  if (length === null) throw new S3Failure('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  if (!Number.isSafeInteger(length) || length < 0) throw new S3Failure('InvalidArgument', 'the announced length is no number of bytes');
  if (length > limit)
    throw new S3Failure('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
      members: { ProposedSize: String(length), MaxSizeAllowed: String(limit) },
    });
  const md5 = readMd5(headers.get('content-md5'));
  const announcedSum = readChecksum(headers);
  const trailerSum = readTrailer(headers.get('x-amz-trailer'), form?.hasTrailer === true);
  if (announcedSum && trailerSum) throw severalSums();
  const algorithm = announcedSum?.algorithm ?? trailerSum ?? wanted;
  const sum = algorithm && sums(algorithm);
  const trailers = new Map<string, string>();

  async function* bytes(): AsyncIterable<Uint8Array> {
    let got = 0;
    const source = piecesOf(body);
    for await (const piece of form ? unchunked(source, form, trailers) : source) {
      got += piece.length;
      if (got > length!) throw otherLength(length!);
      sum?.update(piece);
      yield piece;
    }
    if (got !== length) throw otherLength(length!);
  }

  return {
    bytes: bytes(),
    check(digests) {
      if (md5 !== null && md5 !== digests.md5)
        throw new S3Failure('BadDigest', 'The Content-MD5 you specified did not match what we received.', {
          members: { ExpectedDigest: md5, CalculatedDigest: digests.md5 },
        });
      if (/^[0-9a-f]{64}$/.test(payload) && payload !== digests.sha256)
        throw new S3Failure('XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.", {
          members: { ClientComputedContentSHA256: payload, S3ComputedContentSHA256: digests.sha256 },
        });
      for (const name of trailers.keys()) if (!trailerSum || name !== headerOf(trailerSum)) throw badTrailer();
      if (!algorithm || !sum) return {};
      const value = sum.digest().toString('base64');
      const given = trailerSum ? trailers.get(headerOf(trailerSum)) : announcedSum?.value;
      if (trailerSum && !isSum(trailerSum, given)) throw badTrailer();
      if (given !== undefined && given !== value) throw badSum(algorithm);
      return { checksum: { algorithm, value, type: 'FULL_OBJECT' } };
    },
  };
}

/** A body that is a document: whole and checked. */
export async function wholeBody(incoming: Incoming): Promise<Uint8Array> {
  const digests = digesting();
  const pieces: Uint8Array[] = [];
  for await (const piece of incoming.bytes) {
    digests.update(piece);
    pieces.push(piece);
  }
  incoming.check(digests.end());
  return Buffer.concat(pieces);
}

const hasBody = ({ headers }: IncomingMessage) => headers['transfer-encoding'] !== undefined;

const otherLength = (length: number) =>
  new S3Failure('IncompleteBody', `You did not provide the number of bytes specified by the Content-Length HTTP header: ${length}`);

/** Hex; null when there is none. @throws S3Failure InvalidDigest */
function readMd5(header: string | undefined): string | null {
  if (header === undefined) return null;
  const bytes = Buffer.from(header, 'base64');
  if (bytes.length !== 16 || bytes.toString('base64') !== header.trim())
    throw new S3Failure('InvalidDigest', 'The Content-MD5 you specified is not valid.');
  return bytes.toString('hex');
}

export const headerOf = (algorithm: Algorithm) => `x-amz-checksum-${algorithm.toLowerCase()}`;

const NO_SUMS = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-type', 'x-amz-checksum-mode']);

/** The one checksum that headers give. @throws S3Failure InvalidRequest */
export function readChecksum(headers: ReadonlyMap<string, string>): Pick<Checksum, 'algorithm' | 'value'> | null {
  const given = [...headers].filter(([name]) => name.startsWith('x-amz-checksum-') && !NO_SUMS.has(name));
  if (given.length === 0) return null;
  if (given.length > 1) throw severalSums();
  const [[name, value]] = given;
  const algorithm = ALGORITHMS.find((each) => headerOf(each) === name);
  if (!algorithm) throw notImplemented(name);
  const declared = headers.get('x-amz-sdk-checksum-algorithm');
  if (!isSum(algorithm, value.replace(/-\d+$/, '')) || (declared !== undefined && declared.toUpperCase() !== algorithm))
    throw new S3Failure('InvalidRequest', `Value for ${name} header is invalid.`);
  return { algorithm, value };
}

function readTrailer(header: string | undefined, hasTrailer: boolean): Algorithm | null {
  if (header === undefined) return null;
  const algorithm = ALGORITHMS.find((each) => headerOf(each) === header.trim().toLowerCase());
  if (!algorithm) throw new S3Failure('InvalidRequest', 'The value specified in the x-amz-trailer header is not supported');
  if (!hasTrailer) throw new S3Failure('InvalidRequest', 'x-amz-trailer announces what this kind of body does not have');
  return algorithm;
}

const isSum = (algorithm: Algorithm, value: string | undefined): value is string => {
  const bytes = Buffer.from(value ?? '', 'base64');
  return bytes.length === BYTES_OF[algorithm] && bytes.toString('base64') === value;
};

const severalSums = () =>
  new S3Failure('InvalidRequest', 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');

export const badSum = (algorithm: Algorithm) =>
  new S3Failure('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);

/**
 * What arrives, piece by piece. Who leaves before the end leaves the connection open: an answer can still be sent.
 * @throws S3Failure RequestTimeout when nothing comes for a while, IncompleteBody when the client goes away
 */
async function* piecesOf(request: IncomingMessage): AsyncIterable<Uint8Array> {
  let wake = () => {};
  let isLate = false;
  const woken = () => wake();
  const late = () => {
    isLate = true;
    wake();
  };
  for (const event of ['readable', 'end', 'close', 'error']) request.on(event, woken);
  request.setTimeout(IDLE_MS, late);
  try {
    for (;;) {
      const piece = request.read() as Buffer | null;
      if (piece) yield piece;
      else if (request.readableEnded) return;
      else if (request.destroyed || request.errored) throw new S3Failure('IncompleteBody', 'The request body terminated unexpectedly');
      else if (isLate)
        throw new S3Failure(
          'RequestTimeout',
          'Your socket connection to the server was not read from or written to within the timeout period.',
        );
      else await new Promise<void>((more) => (wake = more));
    }
  } finally {
    for (const event of ['readable', 'end', 'close']) request.removeListener(event, woken); // an error still finds a listener
    request.removeListener('timeout', late);
    request.setTimeout(0);
  }
}
