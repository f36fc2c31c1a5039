/** The body of a request, whole, as long as it is not longer than it may be. */
import type { IncomingMessage } from 'node:http';
import { AwsFailure } from './failure.ts';

/** So much is read of a body that is too long: a client that still sends would not hear the refusal. */
const DRAINED = 4 * 1024 * 1024;
const NOTHING = new Uint8Array(0);

/** @throws AwsFailure RequestEntityTooLargeException, InvalidRequestException when the client goes away */
export function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> | Uint8Array {
  const { 'content-length': announced, 'transfer-encoding': chunked, 'content-encoding': encoding } = request.headers;
  if (encoding !== undefined && encoding !== 'identity')
    throw new AwsFailure('UnsupportedDocumentEncodingException', `content-encoding ${encoding} is not taken`);
  if (chunked === undefined && (announced === undefined || announced === '0')) return NOTHING;
  if (Number(announced) > DRAINED) throw tooLarge(limit);
  return new Promise((done, failed) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > DRAINED) failed(tooLarge(limit));
      else if (bytes > limit) chunks.length = 0;
      else chunks.push(chunk);
    });
    request.on('end', () => (bytes > limit ? failed(tooLarge(limit)) : done(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))));
    const endedEarly = () => {
      if (!request.complete) failed(new AwsFailure('InvalidRequestException', 'the request ended early'));
    };
    request.on('error', endedEarly);
    request.on('close', endedEarly);
  });
}

const tooLarge = (limit: number) => new AwsFailure('RequestEntityTooLargeException', `the body is longer than ${limit} bytes`);
