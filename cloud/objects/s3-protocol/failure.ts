/** Errors as S3's clients know them: a code, the status that it has, a message, and what else S3 tells. */
import { FleetError, NotFound, ObjectRefused } from '../../../actors/contracts/errors.ts';
import type { Millis } from '../../../actors/contracts/units.ts';
import { isFull } from '../disk-file.ts';

const STATUS = {
  NotModified: 304,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  AccessControlListNotSupported: 400,
  BadDigest: 400,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  ExpiredToken: 400,
  IncompleteBody: 400,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRequest: 400,
  InvalidStorageClass: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  RequestTimeout: 400,
  XAmzContentSHA256Mismatch: 400,
  AccessDenied: 403,
  InvalidAccessKeyId: 403,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  MethodNotAllowed: 405,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  MissingContentLength: 411,
  PreconditionFailed: 412,
  InvalidRange: 416,
  InternalError: 500,
  NotImplemented: 501,
  ServiceUnavailable: 503,
  InsufficientStorage: 507,
} as const;

export type FailureCode = keyof typeof STATUS;

export class S3Failure extends Error {
  readonly code: FailureCode;
  readonly status: number;
  /** Further elements of the error, as `ActualObjectSize`. */
  readonly members: Readonly<Record<string, string>>;
  /** Further headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: FailureCode,
    message: string,
    { members = {}, headers = {}, cause }: { members?: Record<string, string>; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = code;
    this.code = code;
    this.status = STATUS[code];
    this.members = members;
    this.headers = headers;
  }
}

const isCode = (code: string): code is FailureCode => Object.hasOwn(STATUS, code);

/** As an S3 error, whatever was thrown; a defect keeps its inside to itself. */
export function failureOf(thrown: unknown): S3Failure {
  if (thrown instanceof S3Failure) return thrown;
  if (thrown instanceof ObjectRefused) return new S3Failure(isCode(thrown.reason) ? thrown.reason : 'InvalidRequest', thrown.message);
  if (thrown instanceof NotFound) return noSuchKey();
  if (isFull(thrown))
    return new S3Failure('InsufficientStorage', 'There is no room left on the disk of the object store.', { cause: thrown });
  if (thrown instanceof FleetError) return new S3Failure('ServiceUnavailable', 'Please reduce your request rate.', { cause: thrown });
  return new S3Failure('InternalError', 'We encountered an internal error. Please try again.', { cause: thrown });
}

export const noSuchKey = () => new S3Failure('NoSuchKey', 'The specified key does not exist.');
export const notImplemented = (what: string) =>
  new S3Failure('NotImplemented', `A header or parameter you provided implies functionality that is not implemented: ${what}`);

export const mismatch = () =>
  new S3Failure(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  );

/** @throws S3Failure AccessDenied */
export function checkExpiry(end: Millis, now: Millis): void {
  if (now <= end) return;
  throw new S3Failure('AccessDenied', 'Request has expired', {
    members: { Expires: new Date(end).toISOString(), ServerTime: new Date(now).toISOString() },
  });
}
