/**
 * Keys that requests are signed with: the owner's, made at first start, and temporary ones that a thing gets for its certificate.
 * A temporary key is nowhere kept: its session token says whose it is and until when, sealed with this cloud's own key, and the
 * secret follows from the token. So it outlives a restart, and ends with its certificate.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { ThingRefused, VerificationRefused } from '../../actors/contracts/errors.ts';
import { isThingName } from '../../actors/contracts/ids.ts';
import { arnOf, type Place } from './arns.ts';
import type { SecretShelf } from './authority.ts';
import type { Documents } from './documents.ts';
import { absent, invalid, shown } from './names.ts';
import type { AccessKey, Certificates, Credentials, Policies, Principal, Registry, RoleAlias } from './ports.ts';

const FILE = 'credentials.json';
const ALIAS = /^[\w=,@-]{1,128}$/;
const ROLE_ARN = /^arn:aws:iam::\d*:role\/[\w+=,.@/-]{1,512}$/;
const SHORTEST_S = 900;
const LONGEST_S = 43_200;
const DEFAULT_S = 3_600;

const Kept = z.strictObject({
  accessKeyId: z.string().regex(/^AKIA[A-Z2-7]{16}$/),
  secretAccessKey: z.string().length(40),
  sealingKey: z.string().min(40),
});
const Claims = z.strictObject({
  k: z.string(),
  alias: z.string(),
  role: z.string(),
  certificate: z.string(),
  thing: z.string().nullable(),
  until: z.number(),
});

/** Reads the keys of a data folder, or makes them. @throws VerificationRefused when the file is not what it must be. */
export function openOwnerKey(shelf: SecretShelf, entropy: (bytes: number) => Uint8Array): AccessKey & { readonly sealingKey: string } {
  const text = shelf.read(FILE);
  if (text === null) {
    const made = {
      accessKeyId: `AKIA${base32(entropy(10))}`,
      secretAccessKey: Buffer.from(entropy(30)).toString('base64'),
      sealingKey: Buffer.from(entropy(32)).toString('base64'),
    };
    shelf.write(FILE, `${JSON.stringify(made)}\n`);
    return made;
  }
  try {
    return Kept.parse(JSON.parse(text));
  } catch {
    // what a parser says of the text is not shown: it would quote a secret
    throw new VerificationRefused(`the keys of the data folder (${FILE}) cannot be used: they are not as they were written`, {
      hint: 'put the file back, or move it away for new keys: clients with the old ones are then refused',
    });
  }
}

export interface CredentialTools {
  readonly documents: Documents;
  readonly place: Place;
  readonly now: () => number;
  readonly entropy: (bytes: number) => Uint8Array;
  readonly owner: AccessKey & { readonly sealingKey: string };
  readonly certificates: Pick<Certificates, 'isActive'>;
  readonly policies: Pick<Policies, 'mayDo'>;
  readonly registry: Pick<Registry, 'thingsOf'>;
}

export function openCredentials({ documents, place, now, entropy, owner, certificates, policies, registry }: CredentialTools): Credentials {
  const aliases = documents.collection<RoleAlias>('role-alias');
  const known = (alias: string) => {
    const found = aliases.get(alias);
    if (!found) throw absent('role alias', alias, aliases.keys());
    return found;
  };
  const seal = (text: string) => createHmac('sha256', Buffer.from(owner.sealingKey, 'base64')).update(text).digest();
  const secretOf = (token: string) => seal(`secret ${token}`).subarray(0, 30).toString('base64');
  const ownerPrincipal: Principal = { kind: 'owner', arn: `arn:aws:iam::${place.account}:root` };

  const check = (roleArn: string | undefined, seconds: number | undefined) => {
    if (roleArn !== undefined && !ROLE_ARN.test(roleArn))
      throw invalid(`${shown(roleArn)} is no ARN of a role`, 'as arn:aws:iam::000000000000:role/NAME');
    if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= SHORTEST_S && seconds <= LONGEST_S))
      throw invalid(`credentialDurationSeconds ${seconds} is not within ${SHORTEST_S}..${LONGEST_S}`);
  };
  /** Null for a token that is not ours, or was changed. */
  const unseal = (token: string): z.infer<typeof Claims> | null => {
    const [body, mark, ...more] = token.split('.');
    if (!body || !mark || more.length > 0) return null;
    const [given, right] = [Buffer.from(mark, 'base64url'), seal(`token ${body}`)];
    if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
    return Claims.parse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')));
  };

  return {
    owner: { accessKeyId: owner.accessKeyId, secretAccessKey: owner.secretAccessKey },
    find(accessKeyId, sessionToken) {
      if (sessionToken === null)
        return accessKeyId === owner.accessKeyId
          ? { secretAccessKey: owner.secretAccessKey, expiresAt: null, principal: ownerPrincipal }
          : null;
      const claims = unseal(sessionToken);
      if (!claims || claims.k !== accessKeyId || !certificates.isActive(claims.certificate)) return null;
      const { alias, role, certificate, thing } = claims;
      return {
        secretAccessKey: secretOf(sessionToken),
        expiresAt: claims.until,
        principal: {
          kind: 'role',
          arn: `arn:aws:sts::${place.account}:assumed-role/${role.split('/').at(-1)}/${certificate}`,
          alias,
          certificate: arnOf(place, 'cert', certificate),
          thing,
        },
      };
    },
    async createRoleAlias(alias, { roleArn, credentialDurationSeconds = DEFAULT_S }) {
      if (!ALIAS.test(alias)) throw invalid(`${shown(alias)} is no name of a role alias: 1 to 128 of letters, digits, _ = , @ -`);
      check(roleArn, credentialDurationSeconds);
      if (aliases.has(alias)) throw new ThingRefused('ResourceAlreadyExists', `role alias ${alias} is there already`);
      const at = now();
      const made = { alias, arn: arnOf(place, 'rolealias', alias), roleArn, credentialDurationSeconds, createdAt: at, lastModifiedAt: at };
      aliases.put(alias, made);
      await documents.saved();
      return made;
    },
    describeRoleAlias: known,
    async updateRoleAlias(alias, { roleArn, credentialDurationSeconds }) {
      const before = known(alias);
      check(roleArn, credentialDurationSeconds);
      const after = {
        ...before,
        roleArn: roleArn ?? before.roleArn,
        credentialDurationSeconds: credentialDurationSeconds ?? before.credentialDurationSeconds,
        lastModifiedAt: now(),
      };
      aliases.put(alias, after);
      await documents.saved();
      return after;
    },
    async removeRoleAlias(alias) {
      known(alias);
      aliases.remove(alias);
      await documents.saved();
    },
    roleAliases: () => [...aliases.values()].sort((a, b) => (a.alias < b.alias ? -1 : 1)),
    assume(principal, alias, thing) {
      const { roleArn, credentialDurationSeconds } = known(alias);
      if (thing !== null && !isThingName(thing)) throw invalid(`${shown(thing)} is no name of a thing`);
      const things = registry.thingsOf(principal.arn);
      if (thing !== null && !things.includes(thing))
        throw new ThingRefused('Unauthorized', `certificate ${principal.id} is not attached to thing ${thing}`);
      if (!policies.mayDo(principal, 'iot:AssumeRoleWithCertificate', alias, thing ?? undefined))
        throw new ThingRefused('Unauthorized', `no policy of certificate ${principal.id} allows iot:AssumeRoleWithCertificate on ${alias}`);
      const expiresAt = Math.floor(now() / 1_000) * 1_000 + credentialDurationSeconds * 1_000;
      const accessKeyId = `ASIA${base32(entropy(10))}`;
      const holder = thing ?? (things.length === 1 ? things[0] : null);
      const claims: z.infer<typeof Claims> = {
        k: accessKeyId,
        alias,
        role: roleArn,
        certificate: principal.id,
        thing: holder,
        until: expiresAt,
      };
      const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
      const sessionToken = `${body}.${seal(`token ${body}`).toString('base64url')}`;
      return { accessKeyId, secretAccessKey: secretOf(sessionToken), sessionToken, expiresAt };
    },
  };
}

/** RFC 4648, five bits a letter; 10 bytes are 16 letters. */
function base32(bytes: Uint8Array): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return bits.replace(/.{5}/g, (five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)]);
}
