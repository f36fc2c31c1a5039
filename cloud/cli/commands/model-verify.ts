/** `windfleet model verify`: whether a package is whole, trusted, in date, and newer than what is published. */
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../actors/contracts/clock.ts';
import { FileInvalid, reasonOf, UsageError, VerificationRefused } from '../../../actors/contracts/errors.ts';
import { modelId } from '../../../actors/contracts/ids.ts';
import type { RollbackGrant } from '../../../actors/contracts/model.ts';
import { sha256Hex } from '../../../actors/package/digest.ts';
import { type OpenedModel, openModel } from '../../../actors/package/package.ts';
import { MAX_PACKAGE_BYTES } from '../../../actors/package/tar.ts';
import { wallClock } from '../../../physical/wall-clock.ts';
import { createCatalogue } from '../../models/catalogue.ts';
import { trustedKeys } from '../../models/keys.ts';
import { objectsIn } from '../objects-in.ts';
import { type Io, printFacts } from '../print.ts';

export interface VerifyFlags {
  readonly data: string;
  /** The sequence that is installed; absent: the newest that is published. */
  readonly after?: string;
  /** The date to verify for; absent: now. */
  readonly at?: string;
  readonly json?: boolean;
}

export async function verifyFile(file: string, flags: VerifyFlags, io: Io, clock: Clock = wallClock()): Promise<void> {
  const after = flags.after === undefined ? null : sequence(flags.after);
  const now = flags.at === undefined ? clock.epoch + clock.now() : instant(flags.at);
  const bytes = await readPackage(file);
  const opened = openModel(bytes, { trustedKeys: trustedKeys(flags.data), now, ...(after === null ? {} : { after }) });
  const grant = after === null ? await refuseOld(opened, sha256Hex(bytes), flags.data, now) : null;
  const { manifest, signedBy, files } = opened;
  const facts = { ...manifest, sha256: sha256Hex(bytes), bytes: bytes.length, signedBy, files: [...files.keys()].sort(), grant };
  printFacts(io, flags.json ?? false, facts, () =>
    [
      `${modelId(manifest.name, manifest.version)} is whole and signed by ${signedBy.slice(0, 12)}; sequence ${manifest.sequence}, for ${manifest.machine}${manifest.target === 'any' ? '' : `, compiled for ${manifest.target}`}`,
      ...(grant ? [`its sequence is old; ${grant.group} may go down to it until ${grant.expires}`] : []),
    ].join('\n'),
  );
}

/** Against what a data folder has published: that is what its devices have, or soon will. @returns the grant that allows an old one */
async function refuseOld({ manifest }: OpenedModel, sha256: string, data: string, now: number): Promise<RollbackGrant | null> {
  if (!existsSync(join(data, 'objects'))) return null;
  const { name, version } = manifest;
  const catalogue = createCatalogue(objectsIn(data), trustedKeys(data));
  const same = (await catalogue.list()).find((model) => model.name === name && model.version === version);
  if (same && same.sha256 !== sha256)
    throw new VerificationRefused(
      `package refused: ${modelId(name, version)} is published already with other bytes: a version never changes`,
      {
        hint: 'pack it under a version of its own',
      },
    );
  const newest = await catalogue.newest(name);
  if (!newest || newest.sha256 === sha256 || manifest.sequence > newest.manifest.sequence) return null;
  const grant = (await catalogue.grants({ name, version })).find((one) => one.sha256 === sha256 && Date.parse(one.expires) > now);
  if (grant) return grant;
  throw new VerificationRefused(
    `package refused: ${modelId(name, version)} has an old sequence, ${manifest.sequence}: ${modelId(name, newest.version)} with ${newest.manifest.sequence} is published`,
    { hint: `devices never go down by themselves; \`windfleet model grant-rollback ${modelId(name, version)} --to GROUP\` allows it` },
  );
}

/** @throws FileInvalid when it cannot be read; VerificationRefused when it is larger than any package */
export async function readPackage(file: string): Promise<Uint8Array> {
  let bytes: Uint8Array | null = null;
  try {
    const facts = await stat(file);
    if (!facts.isFile()) throw new Error('it is no file');
    if (facts.size <= MAX_PACKAGE_BYTES) bytes = await readFile(file);
  } catch (error) {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, {
      cause: error,
      hint: 'name a package, as `windfleet model pack` makes it',
    });
  }
  if (bytes === null) throw new VerificationRefused(`package refused: it has more than ${MAX_PACKAGE_BYTES} bytes`);
  return bytes;
}

function sequence(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`--after ${text} is no sequence: a whole number from 0 on`);
}

/** Epoch milliseconds of a date. @throws UsageError */
export function instant(text: string, flag = '--at'): number {
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new UsageError(`${flag} ${text} is no date`, { hint: 'as 2027-01-31 or 2027-01-31T12:00:00Z' });
}
