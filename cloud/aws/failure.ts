/**
 * Errors as AWS's clients know them: a name that selects the exception class, a status, a message, and what else its shape holds.
 * Statuses are those of the service models; throttling is 429 on the data planes and 400 on the control plane.
 */
import { FleetError, JobRefused, NotFound, QueryInvalid, StoreUnavailable, ThingRefused } from '../../actors/contracts/errors.ts';

const STATUS = {
  InvalidRequestException: 400,
  MalformedPolicyException: 400,
  CertificateValidationException: 400,
  ValidationException: 400,
  IncompleteSignatureException: 400,
  ResourceInUse: 400,
  ResourceNotFound: 400,
  ResourceLimitExceeded: 400,
  UnauthorizedException: 401,
  AccessDeniedException: 403,
  MissingAuthenticationTokenException: 403,
  UnrecognizedClientException: 403,
  InvalidSignatureException: 403,
  ExpiredTokenException: 403,
  ResourceNotFoundException: 404,
  UnknownOperationException: 404,
  MethodNotAllowedException: 405,
  CertificateStateException: 406,
  ConflictException: 409,
  DeleteConflictException: 409,
  InvalidStateTransitionException: 409,
  ResourceAlreadyExistsException: 409,
  VersionConflictException: 409,
  LimitExceededException: 410,
  TerminalStateException: 410,
  RequestEntityTooLargeException: 413,
  UnsupportedDocumentEncodingException: 415,
  ThrottlingException: 429,
  InternalFailureException: 500,
  InternalServiceException: 500,
  ServiceUnavailableException: 503,
} as const;

export type FailureName = keyof typeof STATUS;

/** Thrown by whoever answers an AWS request. */
export class AwsFailure extends Error {
  readonly code: FailureName;
  readonly status: number;
  /** Further members of the exception's shape, as `resourceId`. */
  readonly members: Readonly<Record<string, string>>;

  constructor(code: FailureName, message: string, members: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = STATUS[code];
    this.members = members;
  }
}

/** JobRefused's reasons are AWS's names on MQTT; these are their twins on HTTP. */
const OF_REASON: Readonly<Record<string, FailureName>> = {
  InvalidTopic: 'ResourceNotFoundException',
  InvalidJson: 'InvalidRequestException',
  InvalidRequest: 'InvalidRequestException',
  InvalidStateTransition: 'InvalidStateTransitionException',
  ResourceNotFound: 'ResourceNotFoundException',
  ResourceAlreadyExists: 'ResourceAlreadyExistsException',
  VersionMismatch: 'VersionConflictException',
  VersionConflict: 'VersionConflictException',
  Conflict: 'ConflictException',
  DeleteConflict: 'DeleteConflictException',
  LimitExceeded: 'LimitExceededException',
  RequestThrottled: 'ThrottlingException',
  TerminalStateReached: 'TerminalStateException',
  InternalError: 'ServiceUnavailableException',
};

/** What a client is told instead where an operation's model lacks the error. */
const INSTEAD: Readonly<Partial<Record<FailureName, readonly FailureName[]>>> = {
  VersionConflictException: ['InvalidStateTransitionException', 'ConflictException', 'InvalidRequestException'],
  InvalidStateTransitionException: ['InvalidRequestException'],
  LimitExceededException: ['ResourceLimitExceeded', 'InvalidRequestException'],
  ResourceAlreadyExistsException: ['ConflictException', 'ResourceInUse', 'InvalidRequestException'],
  ConflictException: ['ResourceAlreadyExistsException', 'InvalidRequestException'],
  DeleteConflictException: ['ResourceInUse', 'InvalidRequestException'],
  ResourceNotFoundException: ['ResourceNotFound', 'InvalidRequestException'],
  ResourceNotFound: ['ResourceNotFoundException', 'ValidationException', 'InvalidRequestException'],
  InvalidRequestException: ['ValidationException'],
  MalformedPolicyException: ['InvalidRequestException'],
  CertificateStateException: ['InvalidRequestException'],
  CertificateValidationException: ['UnauthorizedException'],
  RequestEntityTooLargeException: [],
  UnauthorizedException: ['AccessDeniedException'],
  UnsupportedDocumentEncodingException: ['InvalidRequestException', 'ValidationException'],
  MethodNotAllowedException: [],
  TerminalStateException: ['InvalidStateTransitionException', 'InvalidRequestException'],
  InternalFailureException: ['ServiceUnavailableException', 'InternalServiceException'],
  ServiceUnavailableException: ['InternalFailureException', 'InternalServiceException'],
};

const isFailureName = (name: string): name is FailureName => Object.hasOwn(STATUS, name);

/** As an AWS error, whatever was thrown; a defect keeps its inside to itself. */
export function failureOf(thrown: unknown): AwsFailure {
  if (thrown instanceof AwsFailure) return thrown;
  if (thrown instanceof JobRefused) return new AwsFailure(OF_REASON[thrown.reason] ?? 'InvalidRequestException', thrown.message);
  if (thrown instanceof ThingRefused) {
    const name = isFailureName(thrown.reason) ? thrown.reason : `${thrown.reason}Exception`; // SageMaker's have no last word
    return new AwsFailure(isFailureName(name) ? name : 'InvalidRequestException', thrown.message);
  }
  if (thrown instanceof NotFound) return new AwsFailure('ResourceNotFoundException', thrown.message);
  if (thrown instanceof QueryInvalid) return new AwsFailure('InvalidRequestException', thrown.message);
  if (thrown instanceof StoreUnavailable || (thrown instanceof FleetError && thrown.code === 'environment.lacking'))
    return new AwsFailure('ServiceUnavailableException', 'the store does not answer; try again');
  return new AwsFailure('InternalFailureException', 'the service failed; its log says where');
}

/** The same failure under a name that the operation's model has. */
export function modelled(failure: AwsFailure, names: readonly FailureName[]): AwsFailure {
  if (names.includes(failure.code)) return failure;
  const other = INSTEAD[failure.code]?.find((name) => names.includes(name));
  return other ? new AwsFailure(other, failure.message, failure.members) : failure;
}

/** Whether an operator should read of it. */
export const isOurFault = (failure: AwsFailure): boolean => failure.status >= 500;
