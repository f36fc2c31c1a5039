/**
 * What the rest of the cloud needs of things: the registry, certificates, policies, shadows and keys, in AWS's words but without
 * HTTP. Instants are epoch milliseconds; lists are whole and sorted by name (who serves pages cuts them). What changes something
 * resolves once it is durable. All throw ThingRefused, whose `reason` is AWS's exception without `Exception`.
 */
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Millis } from '../../actors/contracts/units.ts';

export type Texts = Readonly<Record<string, string>>;

// ── the registry ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Thing {
  readonly name: ThingName;
  /** A UUID of its own: a thing made again under the same name has another. */
  readonly id: string;
  readonly typeName: string | null;
  readonly attributes: Texts;
  /** From 1, up by one at every change of type or attributes. */
  readonly version: number;
  readonly createdAt: Millis;
}

export interface ThingType {
  readonly name: string;
  readonly id: string;
  readonly description: string;
  readonly searchableAttributes: readonly string[];
  readonly createdAt: Millis;
  /** Null: things may still be given it. */
  readonly deprecatedAt: Millis | null;
}

export interface ThingGroup {
  readonly name: string;
  readonly id: string;
  readonly parent: string | null;
  readonly description: string;
  readonly attributes: Texts;
  readonly version: number;
  readonly createdAt: Millis;
}

/** A thing came into a group, or left it, directly or through a group below; told once a group, after the change is durable. */
export interface MembershipChange {
  readonly kind: 'joined' | 'left';
  readonly thing: ThingName;
  readonly group: string;
}

export interface ThingChanges {
  /** Absent: unchanged. */
  readonly typeName?: string;
  readonly removeType?: boolean;
  readonly attributes?: Texts;
  /** The given ones are put to those there are; an empty text removes one. Else they replace all. */
  readonly mergeAttributes?: boolean;
  readonly expectedVersion?: number;
}

export interface Registry {
  /** Known from now on; nothing happens when it was before. */
  register(thing: ThingName): void;
  /** Names, sorted. */
  things(): readonly ThingName[];
  /** The things that names or ARNs of things and groups stand for, groups with those below them, each once, sorted. @throws NotFound */
  resolve(targets: readonly string[]): readonly ThingName[];

  create(thing: { readonly name: ThingName; readonly typeName?: string; readonly attributes?: Texts }): Promise<Thing>;
  describe(name: ThingName): Thing;
  has(name: ThingName): boolean;
  list(filter?: {
    readonly typeName?: string;
    readonly attribute?: { readonly name: string; readonly value: string; readonly byPrefix?: boolean };
  }): readonly Thing[];
  update(name: ThingName, changes: ThingChanges): Promise<Thing>;
  /** Leaves its groups first. Nothing happens when it is not there, as AWS has it. */
  remove(name: ThingName, expectedVersion?: number): Promise<void>;

  createType(type: {
    readonly name: string;
    readonly description?: string;
    readonly searchableAttributes?: readonly string[];
  }): Promise<ThingType>;
  describeType(name: string): ThingType;
  types(): readonly ThingType[];
  deprecateType(name: string, undo?: boolean): Promise<void>;
  /** Only five minutes after it was deprecated, and when no thing has it. */
  removeType(name: string): Promise<void>;

  createGroup(group: {
    readonly name: string;
    readonly parent?: string;
    readonly description?: string;
    readonly attributes?: Texts;
  }): Promise<ThingGroup>;
  describeGroup(name: string): ThingGroup;
  /** From the root to the parent. */
  ancestorsOf(group: string): readonly string[];
  /** The group `farm`, every thing, is among them. */
  groups(filter?: { readonly parent?: string; readonly prefix?: string; readonly recursive?: boolean }): readonly ThingGroup[];
  updateGroup(
    name: string,
    changes: {
      readonly description?: string;
      readonly attributes?: Texts;
      readonly mergeAttributes?: boolean;
      readonly expectedVersion?: number;
    },
  ): Promise<ThingGroup>;
  removeGroup(name: string, expectedVersion?: number): Promise<void>;
  join(thing: ThingName, group: string): Promise<void>;
  leave(thing: ThingName, group: string): Promise<void>;
  members(group: string, options?: { readonly recursive?: boolean }): readonly ThingName[];
  /** The groups that it was put into, without `farm` and without those above. */
  groupsOf(thing: ThingName): readonly string[];
  /** Whether it is in the group or in one below. */
  isMember(thing: ThingName, group: string): boolean;
  onMembership(changed: (change: MembershipChange) => void): void;

  /** @param principal ARN of a certificate */
  attachPrincipal(thing: ThingName, principal: string): Promise<void>;
  detachPrincipal(thing: ThingName, principal: string): Promise<void>;
  principalsOf(thing: ThingName): readonly string[];
  thingsOf(principal: string): readonly ThingName[];
}

/** Tags of whatever has an ARN. */
export interface Tags {
  /** At most 50 a resource. */
  tag(arn: string, tags: Texts): Promise<void>;
  untag(arn: string, keys: readonly string[]): Promise<void>;
  of(arn: string): Texts;
  /** The resource is gone. */
  forget(arn: string): Promise<void>;
}

// ── certificates ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type CertificateStatus = 'ACTIVE' | 'INACTIVE' | 'REVOKED';

export interface Certificate {
  /** SHA-256 of its DER, 64 hex digits: also its fingerprint. */
  readonly id: string;
  readonly arn: string;
  readonly pem: string;
  readonly status: CertificateStatus;
  readonly subject: string;
  readonly notBefore: Millis;
  readonly notAfter: Millis;
  readonly createdAt: Millis;
  readonly lastModifiedAt: Millis;
}

export interface Certificates {
  /** PEM of the CA that signs things and this cloud's own servers. */
  caPem(): Promise<string>;
  /** A key pair and its certificate. The private key is nowhere kept: this is the only time that anyone sees it. */
  create(options: { readonly active: boolean; readonly commonName?: string }): Promise<{
    readonly certificate: Certificate;
    readonly publicKeyPem: string;
    readonly privateKeyPem: string;
  }>;
  /** From a PKCS #10 request; of its names only the common name counts. */
  sign(csrPem: string, options: { readonly active: boolean }): Promise<Certificate>;
  describe(id: string): Certificate;
  list(): readonly Certificate[];
  /** A revoked one stays so. */
  setStatus(id: string, status: CertificateStatus): Promise<Certificate>;
  /** Only an inactive or revoked one with no policy and no thing, unless forced. */
  remove(id: string, options?: { readonly force?: boolean }): Promise<void>;
  /** @param fingerprint SHA-256 of the DER as 64 hex digits; colons (as node's `fingerprint256` has) and capitals do not matter */
  isActive(fingerprint: string): boolean;
  /** Told with the id when one ceases to be ACTIVE: end its live connections. */
  onRevoked(ended: (id: string) => void): void;
}

/** Who speaks. */
export type Principal =
  | { readonly kind: 'certificate'; readonly id: string; readonly arn: string }
  /** The keys of this cloud's owner: may do everything. */
  | { readonly kind: 'owner'; readonly arn: string }
  /** Temporary keys that a certificate (its ARN) was given under a role alias. */
  | { readonly kind: 'role'; readonly arn: string; readonly alias: string; readonly certificate: string; readonly thing: ThingName | null };

/** Certificates to principals, as a TLS listener needs it. */
export interface Identities {
  /** Null for a certificate that is unknown, expired or not ACTIVE. @param der of the peer's certificate */
  ofCertificate(der: Uint8Array): (Principal & { readonly kind: 'certificate' }) | null;
  /** The thing that a connection of this client id is: attached to the certificate and of that name; else the only attached one; else null. */
  thingOf(principal: Principal, clientId?: string): ThingName | null;
}

// ── policies ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type IotAction =
  | 'iot:Connect'
  | 'iot:Publish'
  | 'iot:Subscribe'
  | 'iot:Receive'
  | 'iot:RetainPublish'
  | 'iot:GetRetainedMessage'
  | 'iot:ListRetainedMessages'
  | 'iot:GetThingShadow'
  | 'iot:UpdateThingShadow'
  | 'iot:DeleteThingShadow'
  | 'iot:ListNamedShadowsForThing'
  | 'iot:DescribeJobExecution'
  | 'iot:GetPendingJobExecutions'
  | 'iot:StartNextPendingJobExecution'
  | 'iot:UpdateJobExecution'
  | 'iot:AssumeRoleWithCertificate';

export interface Policy {
  readonly name: string;
  readonly arn: string;
  readonly versions: readonly { readonly id: string; readonly document: string; readonly createdAt: Millis }[];
  readonly defaultVersionId: string;
  readonly createdAt: Millis;
  readonly lastModifiedAt: Millis;
}

export interface Policies {
  create(name: string, document: string): Promise<Policy>;
  describe(name: string): Policy;
  list(): readonly Policy[];
  remove(name: string): Promise<void>;
  createVersion(name: string, document: string, options: { readonly setAsDefault: boolean }): Promise<Policy>;
  setDefaultVersion(name: string, versionId: string): Promise<void>;
  removeVersion(name: string, versionId: string): Promise<void>;
  /** @param target ARN of a certificate or of a thing group */
  attach(name: string, target: string): Promise<void>;
  detach(name: string, target: string): Promise<void>;
  attachedTo(target: string): readonly Policy[];
  targetsOf(name: string): readonly string[];
  /**
   * Whether the principal's policies (and those of its thing's groups) allow it, denials first. The owner may do everything.
   * @param resource client id of Connect; topic of Publish, Receive, RetainPublish; topic filter of Subscribe; thing's name of
   *   shadow and job actions; role alias of AssumeRoleWithCertificate
   * @param clientId of the connection; absent over HTTP
   */
  mayDo(principal: Principal, action: IotAction, resource: string, clientId?: string): boolean;
}

// ── shadows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A shadow's answer as it goes on the wire: `timestamp`s are epoch seconds. Name null is the classic shadow. Refusals have the HTTP status AWS has. */
export interface Shadows {
  /** @throws ThingRefused ResourceNotFound */
  get(thing: ThingName, shadow: string | null): JsonObject;
  /** @param payload JSON in UTF-8, at most 8 kB of state. @throws ThingRefused InvalidRequest, Conflict, RequestEntityTooLarge, … */
  update(thing: ThingName, shadow: string | null, payload: Uint8Array): Promise<JsonObject>;
  remove(thing: ThingName, shadow: string | null, payload?: Uint8Array): Promise<JsonObject>;
  /** Names, sorted; without the classic one. */
  named(thing: ThingName): readonly string[];
}

// ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface TemporaryKey extends AccessKey {
  readonly sessionToken: string;
  readonly expiresAt: Millis;
}

export interface RoleAlias {
  readonly alias: string;
  readonly arn: string;
  readonly roleArn: string;
  /** 900..43200 */
  readonly credentialDurationSeconds: number;
  readonly createdAt: Millis;
  readonly lastModifiedAt: Millis;
}

export interface Credentials {
  /** Of this cloud's owner, made at first start. */
  readonly owner: AccessKey;
  /** What a signature is checked with, though the key may have expired; null for a key that is not there, or comes without its own session token. */
  find(
    accessKeyId: string,
    sessionToken: string | null,
  ): { readonly secretAccessKey: string; readonly expiresAt: Millis | null; readonly principal: Principal } | null;
  createRoleAlias(alias: string, options: { readonly roleArn: string; readonly credentialDurationSeconds?: number }): Promise<RoleAlias>;
  describeRoleAlias(alias: string): RoleAlias;
  updateRoleAlias(alias: string, options: { readonly roleArn?: string; readonly credentialDurationSeconds?: number }): Promise<RoleAlias>;
  removeRoleAlias(alias: string): Promise<void>;
  roleAliases(): readonly RoleAlias[];
  /** The credentials provider: keys for a certificate. @throws ThingRefused ResourceNotFound, Unauthorized, InvalidRequest */
  assume(principal: Principal & { readonly kind: 'certificate' }, alias: string, thing: ThingName | null): TemporaryKey;
}

/** What DescribeEndpoint answers: `host:port` each. @throws ThingRefused InvalidRequest for a type that is none of these. */
export interface Endpoints {
  of(type: string): string;
}

/** SageMaker Edge's register of devices, as far as an edge agent asks for it. */
export interface EdgeDevice {
  readonly deviceName: string;
  readonly fleetName: string;
  readonly thing: ThingName;
  readonly description: string;
  readonly registeredAt: Millis;
  readonly latestHeartbeat: Millis | null;
  readonly agentVersion: string | null;
  readonly models: readonly {
    readonly name: string;
    readonly version: string;
    readonly latestSampleAt: Millis | null;
    readonly latestInferenceAt: Millis | null;
  }[];
}

/** A fleet of devices that was made by name; one that only has devices needs none. */
export interface EdgeFleet {
  readonly fleetName: string;
  readonly roleArn: string | null;
  readonly description: string;
  /** Where devices put what they capture, `s3://…`. */
  readonly outputLocation: string;
  readonly createdAt: Millis;
}

export interface EdgeDevices {
  /** @throws ThingRefused ResourceInUse when there is one of that name */
  createFleet(fleet: Omit<EdgeFleet, 'createdAt'>): Promise<void>;
  /** @throws ThingRefused ResourceNotFound */
  describeFleet(fleetName: string): EdgeFleet;
  /** By name. */
  fleets(): readonly EdgeFleet[];
  /** @throws ThingRefused ResourceInUse while devices are registered in it */
  removeFleet(fleetName: string): Promise<void>;
  register(device: {
    readonly deviceName: string;
    readonly fleetName: string;
    readonly thing?: ThingName;
    readonly description?: string;
  }): Promise<void>;
  deregister(deviceName: string, fleetName: string): Promise<void>;
  describe(deviceName: string, fleetName: string): EdgeDevice;
  /** The thing that it stands for; of a device that nobody has registered its own name. */
  thingOf(deviceName: string, fleetName: string): ThingName;
  list(fleetName?: string): readonly EdgeDevice[];
  /** What an agent asks for to know that it belongs. */
  registration(deviceName: string, fleetName: string): { readonly deviceRegistration: string; readonly cacheTtlSeconds: number };
  heartbeat(beat: {
    readonly deviceName: string;
    readonly fleetName: string;
    readonly agentVersion: string;
    readonly models?: EdgeDevice['models'];
  }): Promise<void>;
}

/** All of it, as a world opens it. */
export interface Things {
  readonly registry: Registry;
  readonly tags: Tags;
  readonly certificates: Certificates;
  readonly identities: Identities;
  readonly policies: Policies;
  readonly shadows: Shadows;
  readonly credentials: Credentials;
  readonly edgeDevices: EdgeDevices;
  close(): Promise<void>;
}
