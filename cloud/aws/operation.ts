/**
 * One operation of an AWS service: where it lives, what it takes, what it may answer. A plane is a table of them under one signing
 * name. Members of path, query, headers and body are checked each by its schema and handed over as one input.
 */
import type { z } from 'zod';
import type { Principal } from '../things/ports.ts';
import { AwsFailure, type FailureName } from './failure.ts';
import { parseJsonObject } from './json.ts';
import type { Pages } from './page.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';

/** An operation called, before anything of it has been checked. */
export interface Call {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export interface Context {
  readonly caller: Principal;
  readonly pages: Pages;
}

/** What goes back: a JSON object (undefined members left out), or bytes as they are. */
export type Answer = object | Uint8Array | undefined;

export interface Operation {
  readonly name: string;
  readonly method: Method;
  /** `{name}` is a segment, `{name+}` all that is left. */
  readonly path: string;
  readonly errors: readonly FailureName[];
  /** Bytes that a body may have. */
  readonly bodyLimit: number;
  run(call: Call, context: Context): Answer | Promise<Answer>;
}

type Shape = z.ZodType<object>;
type Of<S> = S extends z.ZodType<infer T> ? T : unknown;

export interface OperationParts<P, Q, H, B> {
  readonly path?: P;
  readonly query?: Q;
  readonly headers?: H;
  /** Absent: no body is read. `blob`: bytes. */
  readonly body?: B;
  readonly bodyLimit?: number;
  readonly errors: readonly FailureName[];
}

type Input<P, Q, H, B> = Of<P> & Of<Q> & Of<H> & (B extends 'blob' ? { readonly payload: Uint8Array } : Of<B>);

/** @param at method and path, as `PUT /jobs/{jobId}` */
export function operation<
  const P extends Shape | undefined = undefined,
  const Q extends Shape | undefined = undefined,
  const H extends Shape | undefined = undefined,
  const B extends Shape | 'blob' | undefined = undefined,
>(
  name: string,
  at: string,
  parts: OperationParts<P, Q, H, B>,
  handle: (input: Input<P, Q, H, B>, context: Context) => Answer | Promise<Answer>,
): Operation {
  const [method, path] = at.split(' ') as [Method, string];
  return {
    name,
    method,
    path,
    errors: parts.errors,
    bodyLimit: parts.bodyLimit ?? BODY_LIMIT,
    run(call, context) {
      const input: Record<string, unknown> = {};
      if (parts.path) take(input, parts.path, call.path);
      if (parts.query) take(input, parts.query, call.query);
      if (parts.headers) take(input, parts.headers, Object.fromEntries(call.headers));
      if (parts.body === 'blob') input['payload'] = call.body;
      else if (parts.body) take(input, parts.body, parseJsonObject(call.body));
      return handle(input as Input<P, Q, H, B>, context);
    },
  };
}

/** Room for a job document of 32 768 characters, all of them escaped. */
const BODY_LIMIT = 512 * 1024;

/** Members that are undefined are left out: absent is not the same as given. @throws AwsFailure InvalidRequestException naming every wrong member */
function take(input: Record<string, unknown>, schema: Shape, from: object): void {
  const parsed = schema.safeParse(from);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`);
    throw new AwsFailure('InvalidRequestException', wrong.slice(0, 10).join('; '));
  }
  for (const [name, value] of Object.entries(parsed.data)) if (value !== undefined) input[name] = value;
}
