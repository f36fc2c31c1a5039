/** A call that is refused: its gRPC status and the words that the client reads. */
import { status } from '@grpc/grpc-js';
import { FleetError, ModelRejected, reasonOf, VerificationRefused } from '../../actors/contracts/errors.ts';

export class Refusal extends FleetError {
  readonly code = 'remote.refused';
  readonly status: status;

  constructor(code: status, message: string) {
    super(message);
    this.status = code;
  }
}

const LONGEST = 1_000; // it travels in a header

/** The status of whatever was thrown; what nobody meant to throw is INTERNAL. */
export function statusOf(error: unknown): { readonly code: status; readonly details: string } {
  if (error instanceof Refusal) return { code: error.status, details: printable(error.message) };
  if (error instanceof VerificationRefused || error instanceof ModelRejected)
    return { code: status.FAILED_PRECONDITION, details: printable(error.message) };
  return { code: status.INTERNAL, details: printable(reasonOf(error)) };
}

/** Words of a client, short and quoted, for a message or a log line. */
export const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** A lone surrogate cannot be sent. */
const printable = (text: string) => text.slice(0, LONGEST).replace(/\p{Surrogate}/gu, '\uFFFD');
