/**
 * The S3 protocol over objects that this cloud holds: a request is taken apart, its signature verified, its operation run, and what
 * comes out sent as S3's clients expect it. Path style: `/<bucket>/<key>`.
 *
 * Order: form → signature → operation → access → headers → body, which is checked while it is stored.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { reasonOf } from '../../../actors/contracts/errors.ts';
import type { Log } from '../../../actors/contracts/log.ts';
import type { Principal } from '../../things/ports.ts';
import { checkAccess } from './access.ts';
import { checksums } from './checksums.ts';
import type { Answer, BucketContext, Context, KeyContext, S3Services } from './context.ts';
import { failureOf, type S3Failure } from './failure.ts';
import { readRequest } from './request.ts';
import { operationOf } from './route.ts';
import { type FindKey, verifier } from './signature.ts';
import { writeDocument } from './xml.ts';

export interface S3Door {
  /** Whether a request is one for S3, whoever sent it. */
  claims(request: IncomingMessage): boolean;
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** Requests so far by operation and outcome (`ok`, or the code of the error). */
  counts(): Iterable<{ readonly operation: string; readonly outcome: string; readonly count: number }>;
}

export interface S3DoorTools {
  readonly keys: FindKey<Principal>;
  readonly log: Log;
  /** A new one a request. */
  readonly requestId: () => string;
}

/** What is left of a body is read away so that its sender hears the answer, up to so many bytes. */
const DRAINED = 64 * 2 ** 20;

export function createS3Door(services: S3Services, { keys, log, requestId }: S3DoorTools): S3Door {
  const verify = verifier(keys, services.now);
  const sums = checksums();
  const counted = new Map<string, number>();

  async function serve(message: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    let name = 'none';
    let outcome = 'ok';
    try {
      const request = readRequest(message);
      const signed = verify(request);
      const operation = operationOf(request);
      name = operation.name;
      checkAccess(signed.caller, name, request);
      const context: Context = { ...services, request, signed, sums };
      const { bucket, key } = request;
      // the operation is one of a bucket or a key because the request names one
      const answer =
        operation.of === 'service'
          ? await operation.run(context)
          : operation.of === 'bucket'
            ? await operation.run({ ...context, bucket } as BucketContext)
            : await operation.run({ ...context, bucket, key } as KeyContext);
      await send(response, answer, id);
    } catch (thrown) {
      const failure = failureOf(thrown);
      outcome = failure.code;
      if (failure.status >= 500 && failure.status !== 501)
        log.error({ operation: name, requestId: id, reason: reasonOf(failure.cause ?? failure) }, 'an S3 request failed');
      sendFailure(message, response, failure, id);
    }
    const counter = `${name}\n${outcome}`;
    counted.set(counter, (counted.get(counter) ?? 0) + 1);
  }

  return {
    claims: ({ headers, url = '/' }) =>
      /^AWS4-HMAC-SHA256\b.*\/s3\/aws4_request\b/.test(headers.authorization ?? '') ||
      headers.authorization?.startsWith('AWS ') === true ||
      /[?&](X-Amz-Credential=[^&]*(\/|%2F)s3(\/|%2F)|AWSAccessKeyId=)/i.test(url),
    answer(request, response) {
      void serve(request, response, requestId());
    },
    *counts() {
      for (const [counter, count] of counted) {
        const [operation, outcome] = counter.split('\n');
        yield { operation, outcome, count };
      }
    },
  };
}

async function send(response: ServerResponse, { status, headers = {}, body }: Answer, id: string): Promise<void> {
  const common = { 'x-amz-request-id': id, 'x-amz-id-2': id, server: 'windfleet' };
  if (typeof body === 'string') {
    response.writeHead(status, { ...common, 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body), ...headers });
    response.end(body);
  } else if (body === undefined) {
    response.writeHead(status, {
      ...common,
      ...(status === 204 || 'content-length' in headers ? {} : { 'content-length': 0 }),
      ...headers,
    });
    response.end();
  } else {
    response.writeHead(status, { ...common, ...headers });
    await pour(body, response);
  }
}

/** As fast as it is taken, and no further than there is somebody who takes it. */
async function pour(body: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  let wake = () => {};
  const woken = () => wake();
  response.on('drain', woken).on('close', woken);
  try {
    for await (const chunk of body) {
      if (response.destroyed) return; // the client is gone
      if (!response.write(chunk)) await new Promise<void>((more) => (wake = more));
    }
    response.end();
  } catch (error) {
    response.destroy(); // a body that is too short must not look whole
    throw error;
  } finally {
    response.removeListener('drain', woken).removeListener('close', woken);
  }
}

function sendFailure(request: IncomingMessage, response: ServerResponse, failure: S3Failure, id: string): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, code, message, members, headers } = failure;
  if (!request.complete && Number(request.headers['content-length'] ?? 0) > DRAINED) response.setHeader('connection', 'close');
  else request.resume();
  const path = (request.url ?? '/').split('?')[0]; // never the query: a presigned one is a secret
  const isBare = request.method === 'HEAD' || status === 304;
  const body = isBare
    ? ''
    : writeDocument('Error', { Code: code, Message: message, Resource: path, ...members, RequestId: id, HostId: id }, null);
  response.writeHead(status, {
    'x-amz-request-id': id,
    'x-amz-id-2': id,
    server: 'windfleet',
    ...(isBare ? {} : { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) }),
    ...headers,
  });
  response.end(body);
}
