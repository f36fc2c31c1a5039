/**
 * The door of the AWS-shaped API: takes a request from any HTTP server, finds out who asks, what for and of which plane, and answers
 * as AWS's clients expect it.
 *
 * Order: head → size of the body → signature (or the certificate of the connection) → rate → route → what the caller may → schema →
 * operation → answer. A request that is refused costs a line of the counters and nothing else.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { reasonOf } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { Principal } from '../things/ports.ts';
import { readBody } from './body.ts';
import type { RequestHead } from './canonical.ts';
import { AwsFailure, failureOf, isOurFault, modelled } from './failure.ts';
import type { Answer, Call, Operation } from './operation.ts';
import type { Pages } from './page.ts';
import type { Throttle } from './throttle.ts';
import { createRouter, parseQuery, type Route, type Router } from './router.ts';
import { type Authorization, createAuthorizationReader, createVerifier, type KeyHolder } from './signature.ts';

/** The operations under one signing name. */
export interface Plane {
  readonly name: string;
  /** The service of the credential scope; some clients use another than the plane's own name. */
  readonly scopes: readonly string[];
  /** Whether a device may reach it by its certificate alone. */
  readonly byCertificate: boolean;
  readonly operations: readonly Operation[];
  readonly contentType: string;
  /** Throttling is 400 on the control plane. */
  readonly throttledStatus: number;
  /** What a caller that is not the owner may; the owner may do everything. */
  readonly allows: (caller: Principal, operation: Operation, call: Call) => boolean;
  /** For planes that name the operation elsewhere than in the path. */
  readonly pathOf?: (headers: ReadonlyMap<string, string>, path: string) => string;
}

export interface AwsFront {
  readonly planes: readonly Plane[];
  /** Whether a request that came without a certificate is for this door, whoever sent it. */
  claims(request: IncomingMessage): boolean;
  /** @param caller who stands behind the connection already (mTLS): data planes only; null when its certificate is not (or no more) one of ours */
  answer(request: IncomingMessage, response: ServerResponse, caller?: Principal | null): void;
  /** Requests so far by plane, operation and outcome (`ok`, or the name of the exception). */
  counts(): Iterable<{ readonly plane: string; readonly operation: string; readonly outcome: string; readonly count: number }>;
}

export interface FrontParts {
  readonly planes: readonly Plane[];
  /** What stands behind an access key id. */
  readonly keys: (accessKeyId: string, sessionToken: string | null) => KeyHolder<Principal> | null;
  /** Epoch milliseconds of the clients' time. */
  readonly now: () => Millis;
  readonly pages: Pages;
  readonly throttle: Throttle;
  readonly log: Log;
  /** A new one a request. */
  readonly requestId: () => string;
}

interface Opened extends Plane {
  readonly router: Router;
}

export function createAwsFront({ planes, keys, now, pages, throttle, log, requestId }: FrontParts): AwsFront {
  const opened: readonly Opened[] = planes.map((plane) => ({ ...plane, router: createRouter(plane.operations) }));
  // an unsigned request for a resource of AWS is told so; but for what may be the console's own
  const firstSegments = new Set(planes.flatMap(({ operations }) => operations.map(({ path }) => path.split('/')[1])));
  for (const ours of ['api', 'endpoint']) firstSegments.delete(ours);
  const verifier = createVerifier(keys, now);
  const readAuthorization = createAuthorizationReader();
  const byScope = new Map<string, Opened[]>();
  for (const plane of opened) for (const scope of plane.scopes) byScope.set(scope, [...(byScope.get(scope) ?? []), plane]);
  const certified = opened.filter(({ byCertificate }) => byCertificate);
  const counted = new Map<string, number>();

  const count = (plane: string, operation: string, outcome: string) => {
    const key = `${plane}\n${operation}\n${outcome}`;
    counted.set(key, (counted.get(key) ?? 0) + 1);
  };

  /** In the plane that knows the path; in the first one when none does. */
  const find = (candidates: readonly Opened[], { method, path, headers }: RequestHead) => {
    let first: { readonly plane: Opened; readonly route: Route | AwsFailure } | null = null;
    for (const plane of candidates) {
      const found = { plane, route: plane.router.route(method, plane.pathOf?.(headers, path) ?? path) };
      if (!(found.route instanceof AwsFailure)) return found;
      first ??= found;
    }
    return first!;
  };

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    caller: Principal | null | undefined,
    id: string,
  ): Promise<void> {
    let plane: Opened | null = null;
    let operation: Operation | null = null;
    try {
      const head = headOf(request);
      const authorization = caller === undefined ? authorizationOf(head, readAuthorization) : null;
      const candidates = authorization ? (byScope.get(authorization.service) ?? []) : certified;
      if (candidates.length === 0)
        throw new AwsFailure(
          'UnrecognizedClientException',
          `Credential should be scoped to a service that is here, not ${authorization?.service}`,
        );
      const found = find(candidates, head);
      plane = found.plane;
      const body = await readBody(request, found.route instanceof AwsFailure ? UNROUTED_BODY : found.route.operation.bodyLimit);
      const who = authorization ? verifier.verify(head, body, authorization) : (caller ?? null);
      if (found.route instanceof AwsFailure) throw found.route;
      operation = found.route.operation;
      if (who === null)
        throw new AwsFailure('CertificateValidationException', 'the certificate is not active, has expired, or is not known here');
      if (!throttle.admits(who)) throw new AwsFailure('ThrottlingException', 'Rate exceeded');
      const call: Call = { path: found.route.path, query: parseQuery(head.query), headers: head.headers, body };
      if (who.kind !== 'owner' && !plane.allows(who, operation, call))
        throw new AwsFailure(denialIn(operation), `${who.arn} may not ${operation.name} this`);
      const answer = operation.run(call, { caller: who, pages });
      send(response, 200, id, plane.contentType, answer instanceof Promise ? await answer : answer);
      count(plane.name, operation.name, 'ok');
    } catch (thrown) {
      const failure = operation ? modelled(failureOf(thrown), operation.errors) : failureOf(thrown);
      count(plane?.name ?? 'none', operation?.name ?? 'none', failure.code);
      if (isOurFault(failure)) log.error({ operation: operation?.name, requestId: id, reason: reasonOf(thrown) }, 'an AWS request failed');
      sendFailure(response, failure, id, plane);
    }
  }

  return {
    planes,
    claims({ headers, url = '/' }) {
      return (
        headers.authorization?.startsWith('AWS4') === true ||
        headers['x-amz-target'] !== undefined ||
        headers['x-amz-date'] !== undefined ||
        firstSegments.has(url.split(/[/?]/, 2)[1] ?? '')
      );
    },
    answer(request, response, caller) {
      void serve(request, response, caller, requestId());
    },
    *counts() {
      for (const [key, n] of counted) {
        const [plane, operation, outcome] = key.split('\n');
        yield { plane, operation, outcome, count: n };
      }
    },
  };
}

/** Not every model has a word for it. */
const denialIn = ({ errors }: Operation) => (errors.includes('UnauthorizedException') ? 'UnauthorizedException' : 'AccessDeniedException');

const UNROUTED_BODY = 64 * 1024;

function authorizationOf({ headers, query }: RequestHead, read: (header: string | undefined) => Authorization): Authorization {
  if (query !== '' && /(^|&)X-Amz-(Signature|Credential)=/i.test(query))
    throw new AwsFailure('IncompleteSignatureException', 'a signature in the query is not taken here: sign the header');
  return read(headers.get('authorization'));
}

function headOf(request: IncomingMessage): RequestHead {
  const url = request.url ?? '/';
  const at = url.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? '' : url.slice(at + 1),
    headers: headersOf(request),
  };
}

/** By lower-case name, what came more than once joined with commas. */
function headersOf({ rawHeaders }: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? rawHeaders[i + 1] : `${before},${rawHeaders[i + 1]}`);
  }
  return headers;
}

function send(response: ServerResponse, status: number, id: string, contentType: string, answer: Answer): void {
  const body = answer === undefined ? '' : answer instanceof Uint8Array ? answer : JSON.stringify(answer);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': typeof body === 'string' ? Buffer.byteLength(body) : body.length,
    'x-amzn-RequestId': id,
  });
  response.end(body);
}

function sendFailure(response: ServerResponse, { code, status, message, members }: AwsFailure, id: string, plane: Plane | null): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (status === 413) response.setHeader('connection', 'close'); // what is left of the body is not waited for
  const body = JSON.stringify({ __type: code, message, ...members });
  response.writeHead(code === 'ThrottlingException' && plane ? plane.throttledStatus : status, {
    'content-type': plane?.contentType ?? 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-amzn-RequestId': id,
    'x-amzn-ErrorType': code,
  });
  response.end(body);
}
