/** Errors on the wire: `{ "error": { "code", "message", "hint" } }`, and the status that each class has. */
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type ErrorCode, FleetError, JobRefused, QueryInvalid, ThingRefused } from '../../actors/contracts/errors.ts';

const STATUS: { readonly [code in ErrorCode]?: number } = {
  usage: 400,
  'config.invalid': 400,
  'file.invalid': 400,
  'query.invalid': 400,
  'fault.refused': 409,
  'job.refused': 409,
  'model.rejected': 409,
  'object.refused': 400,
  'verification.refused': 409,
  'not.found': 404,
  'remote.refused': 502,
  'store.unavailable': 503,
  'environment.lacking': 503,
};

/** By AWS's reason; what is not here is 400. */
const BY_REASON: Readonly<Record<string, number>> = {
  ResourceNotFound: 404,
  InvalidStateTransition: 409,
  VersionMismatch: 409,
  ResourceAlreadyExists: 409,
  VersionConflict: 409,
  DeleteConflict: 409,
  CertificateState: 409,
  LimitExceeded: 409,
};

/** A request that the console itself does not take. */
export class RequestRefused extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(status: number, code: string, message: string, hint?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** @returns the status that was sent. A defect is told as one, without its inside. */
export function sendError(reply: FastifyReply, error: unknown): number {
  const send = (status: number, code: string, message: string, hint?: string) => {
    reply.status(status).send({ error: { code, message, ...(hint === undefined ? {} : { hint }) } });
    return status;
  };
  if (error instanceof ThingRefused) return send(BY_REASON[error.reason] ?? 400, error.code, error.message, error.hint);
  if (error instanceof JobRefused) return send(BY_REASON[error.reason] ?? 400, error.code, error.message, error.hint);
  if (error instanceof RequestRefused) return send(error.status, error.code, error.message, error.hint);
  if (error instanceof FleetError) return send(STATUS[error.code] ?? 500, error.code, error.message, error.hint);
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  if (status < 500) return send(status, 'request.invalid', (error as Error).message);
  return send(500, 'defect', 'the console failed; its log says where');
}

/** @throws QueryInvalid naming every path of the body that is wrong. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw new QueryInvalid(z.prettifyError(parsed.error));
}
