/** From whatever a step threw to the code, the step and the words that the job service is told. */
import {
  JobRefused,
  ModelRejected,
  NotFound,
  ObjectRefused,
  RemoteRefused,
  reasonOf,
  StoreUnavailable,
  VerificationRefused,
} from '../contracts/errors.ts';
import type { UpdateCode } from '../contracts/update-codes.ts';
import type { Refusal, Stage } from './job.ts';

/** An update that was refused before a restart: told again as it was. */
export class RefusedBefore extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.name = 'RefusedBefore';
    this.refusal = refusal;
  }
}

export function refusalOf(thrown: unknown, stage: Stage): Refusal {
  if (thrown instanceof RefusedBefore) return thrown.refusal;
  return { code: codeOf(thrown), stage, reason: reasonOf(thrown) };
}

/** The code of what was thrown; `device.failed` for what nobody foresaw. */
export function codeOf(thrown: unknown): UpdateCode {
  if (thrown instanceof ModelRejected || thrown instanceof VerificationRefused) return thrown.reason;
  if (thrown instanceof JobRefused) return 'job.withdrawn';
  if (thrown instanceof NotFound) return 'store.absent';
  if (thrown instanceof ObjectRefused) return STORE_CODES[thrown.reason] ?? 'store.unavailable';
  if (thrown instanceof StoreUnavailable || thrown instanceof RemoteRefused) return 'store.unavailable';
  return DISK_CODES[systemCode(thrown)] ?? 'device.failed';
}

/** By S3's code, or ours for what S3 has none for. */
const STORE_CODES: Readonly<Record<string, UpdateCode>> = {
  AccessDenied: 'store.denied',
  Redirected: 'store.redirect',
  IncompleteBody: 'download.length',
};

const DISK_CODES: Readonly<Record<string, UpdateCode>> = {
  ENOSPC: 'disk.full',
  EDQUOT: 'disk.full',
  EFBIG: 'disk.full',
  EIO: 'disk.failed',
  EROFS: 'disk.failed',
  EACCES: 'disk.failed',
  EMFILE: 'disk.failed',
};

/** Whether nothing will be better when it is tried again at once: the disk, not the link. */
export const isOfDisk = (thrown: unknown): boolean => systemCode(thrown) in DISK_CODES;

function systemCode(thrown: unknown): string {
  const { code } = (thrown ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
