/** Members that many operations share, with the limits of the service models. */
import { z } from 'zod';
import type { FailureName } from './failure.ts';
import type { Millis } from '../../actors/contracts/units.ts';

/** What every control-plane operation of the registry may fail with, beside its own. */
export const USUAL = [
  'InvalidRequestException',
  'ThrottlingException',
  'UnauthorizedException',
  'ServiceUnavailableException',
  'InternalFailureException',
] as const satisfies readonly FailureName[];

/** Of thing groups and tags. */
export const USUAL_OF_GROUPS = [
  'InvalidRequestException',
  'ThrottlingException',
  'InternalFailureException',
] as const satisfies readonly FailureName[];

export const RegistryName = z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/, '1 to 128 of [a-zA-Z0-9:_-]');
export const JobId = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, '1 to 64 of [a-zA-Z0-9_-]');
export const PolicyName = z.string().regex(/^[\w+=,.@-]{1,128}$/, '1 to 128 of [\\w+=,.@-]');
export const RoleAliasName = z.string().regex(/^[\w=,@-]{1,128}$/, '1 to 128 of [\\w=,@-]');
export const CertificateId = z.string().regex(/^[a-fA-F0-9]{64}$/, '64 hexadecimal digits');
export const Arn = z.string().min(1).max(2_048);

/** AWS's documents show versions as numbers and as text. */
export const Version = z.union([
  z.int(),
  z
    .string()
    .regex(/^\d{1,15}$/, 'a whole number')
    .transform(Number),
]);

/** Text of a query, read as what it stands for. */
export const QueryBool = z.enum(['true', 'false', 'True', 'False']).transform((text) => text.toLowerCase() === 'true');
export const QueryInt = z
  .string()
  .regex(/^-?\d{1,15}$/, 'a whole number')
  .transform(Number);
export const queryInt = (min: number, max: number) => QueryInt.pipe(z.number().min(min).max(max));

export const Paging = z.object({ maxResults: queryInt(1, 250).optional(), nextToken: z.string().optional() });
/** Of certificates, policies and role aliases. */
export const Marking = z.object({
  pageSize: queryInt(1, 250).optional(),
  marker: z.string().max(1_024).optional(),
  isAscendingOrder: QueryBool.optional(),
});

export const Attributes = z.record(
  z.string().regex(/^[a-zA-Z0-9_.,@/:#-]{1,128}$/, 'names are 1 to 128 of [a-zA-Z0-9_.,@/:#-]'),
  z.string().regex(/^[a-zA-Z0-9_.,@/:#-]{0,800}$/, 'at most 800 of [a-zA-Z0-9_.,@/:#-]'),
);
export const AttributePayload = z.object({ attributes: Attributes.optional(), merge: z.boolean().optional() });

const TagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
export const TagKey = z.string().min(1).max(128).regex(TagText);
export const TagList = z
  .array(z.object({ Key: TagKey, Value: z.string().max(256).regex(TagText).default('') }))
  .max(50)
  .refine((tags) => new Set(tags.map(({ Key }) => Key)).size === tags.length, 'a key is given twice');

export const textsOf = (tags: z.infer<typeof TagList>) => Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));

/** The control plane's instants: epoch seconds, fraction allowed. Null becomes absent. */
export const seconds = (instant: Millis | null | undefined): number | undefined =>
  instant === null || instant === undefined ? undefined : instant / 1_000;

/** The data plane's: whole epoch seconds. */
export const wholeSeconds = (instant: Millis | null | undefined): number | undefined =>
  instant === null || instant === undefined ? undefined : Math.floor(instant / 1_000);

/** Empty text and empty maps are absent on the wire. */
export const orAbsent = (text: string): string | undefined => (text === '' ? undefined : text);
