/** Opens all that the cloud knows of things over one store, and ties it together: what is deleted is let go of everywhere. */
import type { Millis } from '../../actors/contracts/units.ts';
import { arnOf, DEFAULT_PLACE, parseArn, type Place } from './arns.ts';
import { openAuthority, type Authority, type SecretShelf } from './authority.ts';
import { openCertificates } from './certificates.ts';
import { openCredentials, openOwnerKey } from './credentials.ts';
import { type DocumentDisk, openDocuments } from './documents.ts';
import { openEdgeDevices } from './edge-devices.ts';
import { openIdentities } from './identities.ts';
import { FARM } from './names.ts';
import { DEVICE_POLICY, devicePolicy, openPolicies } from './policies.ts';
import type { Things } from './ports.ts';
import { DEVICE_ROLE_ALIAS } from './provisioning.ts';
import { createRegistry } from './registry.ts';
import { openShadows, type ShadowService } from './shadows.ts';
import { openTags } from './tags.ts';

export interface ThingsOptions {
  /** Null: nothing outlives the process. */
  readonly disk: DocumentDisk | null;
  /** For the CA and the keys. */
  readonly shelf: SecretShelf;
  /** Epoch milliseconds of the service: what versions and timers are dated by. */
  readonly now: () => Millis;
  /** Epoch milliseconds of the wall: what certificates are dated by. */
  readonly wallNow: () => Millis;
  /** Bytes that nobody can guess. */
  readonly entropy: (bytes: number) => Uint8Array;
  readonly place?: Place;
}

export interface ThingServices extends Things {
  readonly shadows: ShadowService;
  readonly authority: Authority;
  readonly place: Place;
}

/** @throws StoreUnavailable, VerificationRefused */
export async function openThings({ disk, shelf, now, wallNow, entropy, place = DEFAULT_PLACE }: ThingsOptions): Promise<ThingServices> {
  const documents = openDocuments(disk);
  const authority = openAuthority(shelf, { now: wallNow, entropy });
  const owner = openOwnerKey(shelf, entropy);
  const tags = openTags(documents);
  const gone = (arn: string) => {
    policies.letGo(arn);
    void tags.forget(arn);
  };
  const registry = createRegistry({ documents, place, now, newId: () => uuid(entropy(16)), gone });
  const certificates = openCertificates({
    documents,
    place,
    now: wallNow,
    authority,
    thingsOf: (arn) => registry.thingsOf(arn),
    policiesOf: (arn) => policies.attachedTo(arn).map(({ name }) => name),
    gone,
  });
  const [issued, groups] = [documents.collection('certificate'), documents.collection('group')];
  const identities = openIdentities(certificates, registry);
  const policies = openPolicies({
    documents,
    place,
    now,
    registry,
    thingOf: identities.thingOf,
    isTarget(arn) {
      const { kind, name } = parseArn(arn) ?? { kind: '', name: '' };
      if (kind === 'cert') return issued.has(name) && arn === arnOf(place, kind, name);
      return kind === 'thinggroup' && (name === FARM || groups.has(name)) && arn === arnOf(place, kind, name);
    },
  });
  const credentials = openCredentials({ documents, place, now: wallNow, entropy, owner, certificates, policies, registry });

  if (!policies.list().some(({ name }) => name === DEVICE_POLICY)) await policies.create(DEVICE_POLICY, devicePolicy(place));
  if (!credentials.roleAliases().some(({ alias }) => alias === DEVICE_ROLE_ALIAS))
    await credentials.createRoleAlias(DEVICE_ROLE_ALIAS, { roleArn: `arn:aws:iam::${place.account}:role/${DEVICE_ROLE_ALIAS}` });

  return {
    registry,
    tags,
    certificates,
    identities,
    policies,
    shadows: openShadows({ documents, now, registry }),
    credentials,
    edgeDevices: openEdgeDevices({ documents, now, registry }),
    authority,
    place,
    close: () => documents.close(),
  };
}

/** RFC 9562, version 4. */
function uuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  const variant = '89ab'[bytes[8] & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
