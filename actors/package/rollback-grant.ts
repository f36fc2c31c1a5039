/**
 * Leave to go back to an older model: a DSSE envelope (Ed25519) around JSON of schema `windfleet.rollback-grant/v1`. It names one
 * package by name, version, sequence and SHA-256, one thing or group, and the instant when it ends.
 */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { VerificationRefused } from '../contracts/errors.ts';
import { isThingName, modelId } from '../contracts/ids.ts';
import type { RollbackGrant } from '../contracts/model.ts';
import { openEnvelope, sealEnvelope } from './dsse.ts';
import { parseJson } from './json.ts';
import { isVersion } from './version.ts';

export const GRANT_TYPE = 'application/vnd.windfleet.rollback-grant+json';
const MAX_BYTES = 16 * 1024;
const LONGEST_MS = 90 * 86_400_000;

const Grant = z
  .strictObject({
    schema: z.literal('windfleet.rollback-grant/v1'),
    name: z.string().min(1).max(64),
    version: z.string().refine(isVersion, 'must be SemVer, as 1.2.3'),
    sequence: z.int().min(1),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex'),
    group: z.string().refine(isThingName, 'must be the name of a thing or a group'),
    issuedAt: z.iso.datetime(),
    expires: z.iso.datetime(),
  })
  .refine(({ issuedAt, expires }) => Date.parse(expires) > Date.parse(issuedAt), 'it ends before it begins')
  .refine(({ issuedAt, expires }) => Date.parse(expires) - Date.parse(issuedAt) <= LONGEST_MS, 'it lasts longer than 90 days');

/** Key of a grant in the bucket of the models: beside the packages, so that a device can fetch it as it fetches them. */
export const grantKey = ({ name, version, group }: Pick<RollbackGrant, 'name' | 'version' | 'group'>): string =>
  `grants/${name}/${version}/${group}.json`;

/** @throws VerificationRefused for a grant that no device would take */
export function signGrant(grant: RollbackGrant, privateKey: KeyObject): Uint8Array {
  const body = Buffer.from(JSON.stringify(grant));
  parseGrant(body);
  return sealEnvelope(GRANT_TYPE, body, privateKey);
}

/** A grant that a trusted key signed, whatever it is for. @throws VerificationRefused */
export function openGrant(bytes: Uint8Array, trustedKeys: readonly KeyObject[]): RollbackGrant {
  return parseGrant(openEnvelope(bytes, GRANT_TYPE, trustedKeys, { what: 'rollback grant', file: 'the grant' }).body);
}

/** What wants to be installed, by whom, and when. */
export interface WantedRollback {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  /** Hex SHA-256 of the package. */
  readonly sha256: string;
  /** Names that the device answers to: its own, and those of its groups. */
  readonly groups: readonly string[];
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Holds when a trusted key has granted just this. @throws VerificationRefused naming the first thing that it does not grant */
export function verifyGrant(bytes: Uint8Array, trustedKeys: readonly KeyObject[], wanted: WantedRollback): RollbackGrant {
  const grant = openGrant(bytes, trustedKeys);
  const granted = modelId(grant.name, grant.version);
  if (granted !== modelId(wanted.name, wanted.version)) throw refused(`it is for ${granted}, not ${modelId(wanted.name, wanted.version)}`);
  if (grant.sequence !== wanted.sequence) throw refused(`it is for sequence ${grant.sequence} of ${granted}, not ${wanted.sequence}`);
  if (grant.sha256 !== wanted.sha256) throw refused(`it is for another package of ${granted}: its SHA-256 differs`);
  if (!wanted.groups.includes(grant.group)) throw refused(`it is for ${grant.group}, not ${wanted.groups.join(', ') || 'this device'}`);
  if (Date.parse(grant.expires) <= wanted.now) throw refused(`it ended at ${grant.expires}`);
  return grant;
}

const parseGrant = (body: Uint8Array): RollbackGrant => parseJson(Grant, body, MAX_BYTES, (why) => refused(`it ${why}`));

const refused = (why: string) =>
  new VerificationRefused(`rollback grant refused: ${why}`, {
    reason: 'grant.refused',
    hint: 'give one with `windfleet model grant-rollback N@V --to GROUP`',
  });
