/**
 * Policies and what they allow: nothing, unless a statement of an attached policy allows it and none denies it. Evaluation is
 * pure (`evaluate`); this file knows which policies count for whom.
 */
import { didYouMean, ThingRefused } from '../../actors/contracts/errors.ts';
import { isThingName, type ThingName } from '../../actors/contracts/ids.ts';
import { arnOf, type Place } from './arns.ts';
import type { Documents } from './documents.ts';
import { absent, invalid, shown } from './names.ts';
import { parsePolicy, type Statement } from './policy-documents.ts';
import { type Asked, evaluate } from './policy-evaluation.ts';
import type { IotAction, Policies, Policy, Principal, Registry } from './ports.ts';

const NAME = /^[\w+=,.@-]{1,128}$/;
const MOST_VERSIONS = 5;
const MOST_ON_A_TARGET = 10;

/** What a thing may do that this cloud provisions: its own topics, shadows, jobs and keys, and nothing of another's. */
export const DEVICE_POLICY = 'windfleet-device';

export interface PolicyTools {
  readonly documents: Documents;
  readonly place: Place;
  readonly now: () => number;
  readonly registry: Pick<Registry, 'has' | 'describe' | 'groupsOf' | 'ancestorsOf' | 'thingsOf'>;
  readonly thingOf: (principal: Principal, clientId?: string) => ThingName | null;
  /** Whether something of this ARN can have a policy. */
  readonly isTarget: (arn: string) => boolean;
}

interface StoredPolicy extends Policy {
  readonly targets: readonly string[];
}

export function openPolicies({
  documents,
  place,
  now,
  registry,
  thingOf,
  isTarget,
}: PolicyTools): Policies & { letGo(target: string): void } {
  const stored = documents.collection<StoredPolicy>('policy');
  const parsed = new Map<string, readonly Statement[]>(); // by document: texts are few
  const byTarget = new Map<string, Set<string>>();
  const index = () => {
    byTarget.clear();
    for (const { name, targets } of stored.values()) for (const target of targets) link(name, target);
  };
  const link = (name: string, target: string) => byTarget.set(target, (byTarget.get(target) ?? new Set()).add(name));
  const unlink = (name: string, target: string) => {
    const names = byTarget.get(target);
    names?.delete(name);
    if (names?.size === 0) byTarget.delete(target);
  };
  documents.onReload(index);
  index();

  const known = (name: string) => {
    const found = stored.get(name);
    if (!found) throw absent('policy', name, stored.keys());
    return found;
  };
  const statementsOf = ({ versions, defaultVersionId }: Policy) => {
    const { document } = versions.find(({ id }) => id === defaultVersionId)!;
    const before = parsed.get(document);
    if (before) return before;
    const statements = parsePolicy(document);
    if (parsed.size > 10_000) parsed.clear();
    parsed.set(document, statements);
    return statements;
  };
  const keep = async (policy: StoredPolicy) => {
    stored.put(policy.name, { ...policy, lastModifiedAt: now() });
    await documents.saved();
    return known(policy.name);
  };
  const checkTarget = (target: string) => {
    if (!isTarget(target)) throw absent('certificate or thing group', target);
  };
  const attachedTo = (target: string) => [...(byTarget.get(target) ?? [])].sort().map(known);

  /** The thing's groups, from each up to its root. */
  const groupArns = (thing: ThingName) =>
    [...new Set(registry.groupsOf(thing).flatMap((group) => [group, ...registry.ancestorsOf(group)]))].map((group) =>
      arnOf(place, 'thinggroup', group),
    );

  const make = async (name: string, document: string) => {
    const at = now();
    parsePolicy(document);
    return keep({
      name,
      arn: arnOf(place, 'policy', name),
      versions: [{ id: '1', document, createdAt: at }],
      defaultVersionId: '1',
      createdAt: at,
      lastModifiedAt: at,
      targets: [],
    });
  };

  return {
    async create(name, document) {
      if (!NAME.test(name)) throw invalid(`${shown(name)} is no name of a policy: 1 to 128 of letters, digits, _ + = , . @ -`);
      if (stored.has(name)) throw new ThingRefused('ResourceAlreadyExists', `policy ${name} is there already`);
      return make(name, document);
    },
    describe: known,
    list: () => [...stored.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    async remove(name) {
      const { versions, targets } = known(name);
      if (targets.length > 0) throw new ThingRefused('DeleteConflict', `policy ${name} is attached to ${targets[0]}`);
      if (versions.length > 1) throw new ThingRefused('DeleteConflict', `policy ${name} has other versions than the default one`);
      stored.remove(name);
      await documents.saved();
    },
    async createVersion(name, document, { setAsDefault }) {
      const before = known(name);
      parsePolicy(document);
      if (before.versions.length >= MOST_VERSIONS)
        throw new ThingRefused('VersionsLimitExceeded', `policy ${name} has ${MOST_VERSIONS} versions already`, {
          hint: 'delete one first',
        });
      const id = String(1 + Math.max(...before.versions.map((version) => Number(version.id))));
      const versions = [...before.versions, { id, document, createdAt: now() }];
      return keep({ ...before, versions, defaultVersionId: setAsDefault ? id : before.defaultVersionId });
    },
    async setDefaultVersion(name, versionId) {
      const before = known(name);
      if (!before.versions.some(({ id }) => id === versionId)) throw absent(`version of policy ${name}`, versionId);
      await keep({ ...before, defaultVersionId: versionId });
    },
    async removeVersion(name, versionId) {
      const before = known(name);
      if (!before.versions.some(({ id }) => id === versionId)) throw absent(`version of policy ${name}`, versionId);
      if (before.defaultVersionId === versionId)
        throw new ThingRefused('DeleteConflict', `version ${versionId} of policy ${name} is its default`);
      await keep({ ...before, versions: before.versions.filter(({ id }) => id !== versionId) });
    },
    async attach(name, target) {
      const before = known(name);
      checkTarget(target);
      if (before.targets.includes(target)) return;
      if ((byTarget.get(target)?.size ?? 0) >= MOST_ON_A_TARGET)
        throw new ThingRefused('LimitExceeded', `${target} has ${MOST_ON_A_TARGET} policies already`);
      link(name, target);
      stored.put(name, { ...before, targets: [...before.targets, target] });
      await documents.saved();
    },
    async detach(name, target) {
      const before = stored.get(name);
      if (!before?.targets.includes(target))
        throw invalid(`policy ${shown(name)} is not attached to ${shown(target)}.${before ? '' : didYouMean(name, [...stored.keys()])}`);
      unlink(name, target);
      stored.put(name, { ...before, targets: before.targets.filter((one) => one !== target) });
      await documents.saved();
    },
    attachedTo,
    targetsOf: (name) => known(name).targets,
    letGo(target) {
      for (const name of byTarget.get(target) ?? []) {
        const before = known(name);
        stored.put(name, { ...before, targets: before.targets.filter((one) => one !== target) });
      }
      byTarget.delete(target);
    },
    mayDo(principal, action, resource, clientId) {
      if (principal.kind === 'owner') return true;
      const thing = thingOf(principal, clientId);
      const certificate = principal.kind === 'certificate' ? principal.arn : principal.certificate;
      const policies = [certificate, ...(thing === null ? [] : groupArns(thing))].flatMap(attachedTo);
      const asked: Asked = { action, resource: resourceArn(place, action, resource), isFilter: action === 'iot:Subscribe', variable };
      return evaluate(policies.flatMap(statementsOf), asked);

      function variable(key: string): string | null {
        if (key === 'iot:ClientId') return clientId ?? null;
        if (key === 'iot:Connection.Thing.IsAttached') return String(thing !== null && (clientId === undefined || clientId === thing));
        if (thing === null) return null;
        if (key === 'iot:Connection.Thing.ThingName') return thing;
        const { typeName, attributes } = registry.describe(thing);
        if (key === 'iot:Connection.Thing.ThingTypeName') return typeName;
        const [, name] = /^iot:Connection\.Thing\.Attributes\[(.*)\]$/.exec(key) ?? [];
        return name !== undefined && Object.hasOwn(attributes, name) ? attributes[name] : null;
      }
    },
  };
}

/** AWS IoT's resource of each action. */
function resourceArn(place: Place, action: IotAction, resource: string): string {
  switch (action) {
    case 'iot:Connect':
      return arnOf(place, 'client', resource);
    case 'iot:Publish':
    case 'iot:Receive':
    case 'iot:RetainPublish':
    case 'iot:GetRetainedMessage':
      return arnOf(place, 'topic', resource);
    case 'iot:Subscribe':
      return arnOf(place, 'topicfilter', resource);
    case 'iot:ListRetainedMessages':
      return '*';
    case 'iot:AssumeRoleWithCertificate':
      return arnOf(place, 'rolealias', resource);
    default:
      return arnOf(place, 'thing', isThingName(resource) ? resource : '');
  }
}

/** A thing touches its own topics, shadows, jobs and keys (J9), under the client id that is its name. */
export function devicePolicy(place: Place): string {
  const thing = `\${iot:Connection.Thing.ThingName}`; // AWS's variable, not ours
  const own = [
    `$aws/things/${thing}/jobs/*`,
    `$aws/things/${thing}/shadow/*`,
    `wind-turbine/logs/${thing}`,
    `wind-turbine/${thing}/*`,
    `windfleet/${thing}/*`,
  ];
  const topics = (kind: 'topic' | 'topicfilter', names: readonly string[]) => names.map((name) => arnOf(place, kind, name));
  const allow = (Action: string | readonly string[], Resource: string | readonly string[]) => ({ Effect: 'Allow', Action, Resource });
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      allow('iot:Connect', arnOf(place, 'client', thing)),
      allow(['iot:Publish', 'iot:Receive'], topics('topic', own)),
      allow('iot:RetainPublish', topics('topic', own.slice(2))),
      allow('iot:Subscribe', topics('topicfilter', own)),
      allow(
        ['iot:GetThingShadow', 'iot:UpdateThingShadow', 'iot:DeleteThingShadow', 'iot:ListNamedShadowsForThing', 'iot:*JobExecution*'],
        arnOf(place, 'thing', thing),
      ),
      allow('iot:AssumeRoleWithCertificate', arnOf(place, 'rolealias', '*')),
    ],
  });
}
