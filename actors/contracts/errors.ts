/** Errors of the fleet: one class a cause that a caller can act on, each with a code that never changes. */
import type { UpdateCode } from './update-codes.ts';

export type ErrorCode =
  | 'usage'
  | 'config.invalid'
  | 'file.invalid'
  | 'environment.lacking'
  | 'remote.refused'
  | 'verification.refused'
  | 'backing.lost'
  | 'model.rejected'
  | 'job.refused'
  | 'thing.refused'
  | 'fault.refused'
  | 'object.refused'
  | 'not.found'
  | 'query.invalid'
  | 'store.unavailable';

/** Base of every error thrown on purpose. Anything else that escapes is a defect. */
export abstract class FleetError extends Error {
  /** Stable name for logs, metrics and the job's `statusDetails`; the message may be reworded. */
  abstract readonly code: ErrorCode;

  /** What the operator can do about it, in one sentence. */
  readonly hint: string | undefined;

  constructor(message: string, options?: { cause?: unknown; hint?: string }) {
    super(message, { cause: options?.cause });
    this.name = new.target.name;
    this.hint = options?.hint;
  }
}

/** The command line itself is wrong. Exit code 2. */
export class UsageError extends FleetError {
  readonly code = 'usage';
}

/** Configuration that cannot be used; the message names every wrong path. Exit code 3. */
export class ConfigInvalid extends FleetError {
  readonly code = 'config.invalid';
}

/** A file that cannot be used; the message starts with `file:line:col` where there is one and names every fault. Exit code 3. */
export class FileInvalid extends FleetError {
  readonly code = 'file.invalid';
}

/** A port is taken, a library or a device is missing. Exit code 4. */
export class EnvironmentLacking extends FleetError {
  readonly code = 'environment.lacking';
}

/** A service did not answer, or refused. Exit code 5. */
export class RemoteRefused extends FleetError {
  readonly code = 'remote.refused';
}

/** A package, key or signature is not what it must be. Exit code 6. */
export class VerificationRefused extends FleetError {
  readonly code = 'verification.refused';
  /** As a device reports it. */
  readonly reason: UpdateCode;

  constructor(message: string, options: { cause?: unknown; hint?: string; reason?: UpdateCode } = {}) {
    super(message, options);
    this.reason = options.reason ?? 'verification.refused';
  }
}

/** A body stopped answering. */
export class BackingLost extends FleetError {
  readonly code = 'backing.lost';
}

/** The artefact is not what the job promised: wrong digest, wrong signer, wrong tensor shape, or wrong answers. */
export class ModelRejected extends FleetError {
  readonly code = 'model.rejected';
  readonly model: string;
  /** As a device reports it. */
  readonly reason: UpdateCode;

  constructor(model: string, why: string, cause?: unknown, reason: UpdateCode = 'model.rejected') {
    super(`model ${model} rejected: ${why}`, { cause, hint: 'publish the model again; the device keeps the one it has' });
    this.model = model;
    this.reason = reason;
  }
}

/** The job service will not do this; `reason` is AWS IoT's code (`InvalidStateTransition`, `VersionMismatch`, …). */
export class JobRefused extends FleetError {
  readonly code = 'job.refused';
  readonly reason: string;
  /** The execution as it stands, where AWS sends it along. */
  readonly executionState: unknown;

  constructor(reason: string, message: string, executionState?: unknown) {
    super(message);
    this.reason = reason;
    this.executionState = executionState;
  }
}

/**
 * The registry, a shadow or the keys will not do this; `reason` is AWS IoT's exception without its last word (`ResourceNotFound`,
 * `VersionConflict`, `InvalidRequest`, `LimitExceeded`, …).
 */
export class ThingRefused extends FleetError {
  readonly code = 'thing.refused';
  readonly reason: string;

  constructor(reason: string, message: string, options?: { cause?: unknown; hint?: string }) {
    super(message, options);
    this.reason = reason;
  }
}

/** The object store will not do this; `reason` is S3's code (`KeyTooLongError`, `PreconditionFailed`, `BadDigest`, …). */
export class ObjectRefused extends FleetError {
  readonly code = 'object.refused';
  readonly reason: string;

  constructor(reason: string, message: string, options?: { cause?: unknown; hint?: string }) {
    super(message, options);
    this.reason = reason;
  }
}

/** No such fault, no such turbine, or a body that cannot show it. */
export class FaultRefused extends FleetError {
  readonly code = 'fault.refused';
}

/** No turbine, model, job or object of that name. */
export class NotFound extends FleetError {
  readonly code = 'not.found';
}

/** A question that the index cannot answer. */
export class QueryInvalid extends FleetError {
  readonly code = 'query.invalid';
}

/** A store did not take or give what was asked of it. */
export class StoreUnavailable extends FleetError {
  readonly code = 'store.unavailable';
}

/** What went wrong, in words, whatever was thrown. */
export const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** ` Did you mean x?` for the nearest of `known` (edit distance ≤ 3, and no more than half of the word), else nothing. */
export function didYouMean(wrong: string, known: readonly string[]): string {
  const ranked = known.map((name) => ({ name, off: editDistance(wrong.toLowerCase(), name.toLowerCase()) })).sort((a, b) => a.off - b.off);
  const far = Math.min(3, Math.max(1, Math.floor(wrong.length / 2)));
  return ranked.length > 0 && ranked[0].off <= far ? ` Did you mean ${ranked[0].name}?` : '';
}

/** Letters put in, left out, changed, or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length];
}
