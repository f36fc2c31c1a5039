/**
 * Things, their types and groups, as AWS IoT's registry has them. A turbine is registered when it is first heard of. The group
 * `farm` is every thing: nobody makes it, nobody leaves it.
 */
import { didYouMean, NotFound, ThingRefused } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import { arnOf, parseArn, type Place } from './arns.ts';
import type { Documents } from './documents.ts';
import { thingGroups } from './groups.ts';
import {
  absent,
  byName,
  checkAttributes,
  checkDescription,
  checkName,
  checkVersion,
  FARM,
  invalid,
  mergedAttributes,
  sameTexts,
} from './names.ts';
import type { MembershipChange, Registry, Thing, ThingType } from './ports.ts';

const MOST_ATTRIBUTES = 3; // AWS IoT: without a type
const MOST_ATTRIBUTES_TYPED = 50;
const MOST_SEARCHABLE = 3;
const TYPE_REST_MS = 5 * 60_000; // AWS IoT: a type goes five minutes after it was deprecated at the earliest

export interface RegistryTools {
  readonly documents: Documents;
  readonly place: Place;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** A UUID never given before. */
  readonly newId: () => string;
  /** Something with this ARN is deleted, in the transaction that is being made: policies and tags let go of it. */
  readonly gone: (arn: string) => void;
}

/** A thing with what it belongs to. */
export interface StoredThing extends Thing {
  readonly groups: readonly string[];
  /** ARNs. */
  readonly principals: readonly string[];
}

export function createRegistry(tools: RegistryTools): Registry {
  const { documents, place, now, newId } = tools;
  const things = documents.collection<StoredThing>('thing');
  const types = documents.collection<ThingType>('type');
  const hearers: ((change: MembershipChange) => void)[] = [];
  const tell = (kind: MembershipChange['kind'], thing: ThingName, groups: Iterable<string>) => {
    for (const group of groups) for (const heard of hearers) heard({ kind, thing, group });
  };

  const known = (name: ThingName) => {
    const thing = things.get(name);
    if (!thing) throw absent('thing', name, things.keys());
    return thing;
  };
  const knownType = (name: string) => {
    const type = types.get(name);
    if (!type) throw absent('thing type', name, types.keys());
    return type;
  };
  const groups = thingGroups({ ...tools, things, known, tell });

  let sorted: readonly ThingName[] | null = null; // of all names, until one comes or goes
  const byPrincipal = new Map<string, Set<ThingName>>();
  const index = () => {
    sorted = null;
    byPrincipal.clear();
    for (const { name, principals } of things.values()) for (const principal of principals) linkPrincipal(principal, name);
  };
  const linkPrincipal = (principal: string, name: ThingName) => {
    const linked = byPrincipal.get(principal) ?? new Set();
    byPrincipal.set(principal, linked.add(name));
  };
  documents.onReload(index);
  index();

  const names = () => {
    sorted ??= [...things.keys()].sort();
    return sorted;
  };
  const add = (name: ThingName, typeName: string | null, attributes: Thing['attributes']): StoredThing => {
    const thing = { name, id: newId(), typeName, attributes, version: 1, createdAt: now(), groups: [], principals: [] };
    things.put(name, thing);
    sorted = null;
    return thing;
  };
  const usableType = (name: string) => {
    if (knownType(name).deprecatedAt !== null) throw invalid(`thing type ${name} is deprecated`);
  };
  const checkThingAttributes = (attributes: Thing['attributes'], typeName: string | null) =>
    typeName === null
      ? checkAttributes(attributes, MOST_ATTRIBUTES, ', which is what a thing without a type may have')
      : checkAttributes(attributes, MOST_ATTRIBUTES_TYPED);

  return {
    ...groups.operations,

    register(name) {
      if (things.has(name)) return;
      checkName('thing', name);
      add(name, null, {});
      documents.saved().then(
        () => tell('joined', name, [FARM]),
        () => {}, // it is registered again when it is next heard of
      );
    },
    things: names,
    has: (name) => things.has(name),
    resolve(targets) {
      const found = new Set<ThingName>();
      for (const target of targets) {
        const arn = parseArn(target);
        const isHere = arn === null || (arn.region === place.region && arn.account === place.account);
        const name = arn?.name ?? target;
        const mayBeGroup = isHere && (arn === null || arn.kind === 'thinggroup');
        const mayBeThing = isHere && (arn === null || arn.kind === 'thing');
        if (mayBeGroup && groups.exists(name)) for (const thing of groups.operations.members(name, { recursive: true })) found.add(thing);
        else if (mayBeThing && things.has(name)) found.add(name);
        else
          throw new NotFound(
            `no thing or group ${target}.${didYouMean(name, [...groups.names(), ...(things.size <= 2_000 ? names() : [])])}`,
            {
              hint: `the group ${FARM} is every turbine`,
            },
          );
      }
      return [...found].sort();
    },

    async create({ name, typeName = null, attributes = {} }) {
      checkName('thing', name);
      if (typeName !== null) usableType(typeName);
      checkThingAttributes(attributes, typeName);
      const before = things.get(name);
      if (before) {
        // AWS IoT: the same once more succeeds
        if (before.typeName === typeName && sameTexts(before.attributes, attributes)) return before;
        throw new ThingRefused('ResourceAlreadyExists', `thing ${name} is there already, with another type or other attributes`);
      }
      const thing = add(name, typeName, attributes);
      await documents.saved();
      tell('joined', name, [FARM]);
      return thing;
    },
    describe: known,
    list({ typeName, attribute } = {}) {
      const found = names().map((name) => things.get(name)!);
      if (typeName === undefined && attribute === undefined) return found;
      return found.filter((thing) => {
        if (typeName !== undefined && thing.typeName !== typeName) return false;
        if (attribute === undefined) return true;
        const value = Object.hasOwn(thing.attributes, attribute.name) ? thing.attributes[attribute.name] : undefined;
        return attribute.byPrefix === true ? value?.startsWith(attribute.value) : value === attribute.value;
      });
    },
    async update(name, { typeName, removeType = false, attributes, mergeAttributes = false, expectedVersion }) {
      const before = known(name);
      checkVersion(`thing ${name}`, before.version, expectedVersion);
      if (removeType && typeName !== undefined) throw invalid('a type is given and removed at once');
      if (typeName !== undefined) usableType(typeName);
      const type = removeType ? null : (typeName ?? before.typeName);
      if (attributes) checkAttributes(attributes, MOST_ATTRIBUTES_TYPED);
      const merged = attributes ? mergedAttributes(before.attributes, attributes, mergeAttributes) : before.attributes;
      checkThingAttributes(merged, type);
      const after = { ...before, typeName: type, attributes: merged, version: before.version + 1 };
      things.put(name, after);
      await documents.saved();
      return after;
    },
    async remove(name, expectedVersion) {
      const thing = things.get(name);
      if (!thing) return;
      checkVersion(`thing ${name}`, thing.version, expectedVersion);
      if (thing.principals.length > 0)
        throw invalid(`thing ${name} has a certificate`, 'detach its principals first, as DetachThingPrincipal does');
      const left = groups.forget(thing);
      things.remove(name);
      tools.gone(thingArn(place, name));
      sorted = null;
      await documents.saved();
      tell('left', name, [...left, FARM]);
    },

    async createType({ name, description = '', searchableAttributes = [] }) {
      checkName('thing type', name);
      checkDescription(description);
      if (searchableAttributes.length > MOST_SEARCHABLE)
        throw invalid(`${searchableAttributes.length} searchable attributes are more than ${MOST_SEARCHABLE}`);
      checkAttributes(Object.fromEntries(searchableAttributes.map((attribute) => [attribute, ''])), MOST_SEARCHABLE);
      const before = types.get(name);
      if (before) {
        if (before.description === description && before.searchableAttributes.join() === searchableAttributes.join()) return before;
        throw new ThingRefused('ResourceAlreadyExists', `thing type ${name} is there already`);
      }
      const type = { name, id: newId(), description, searchableAttributes, createdAt: now(), deprecatedAt: null };
      types.put(name, type);
      await documents.saved();
      return type;
    },
    describeType: knownType,
    types: () => [...types.values()].sort(byName),
    async deprecateType(name, undo = false) {
      types.put(name, { ...knownType(name), deprecatedAt: undo ? null : now() });
      await documents.saved();
    },
    async removeType(name) {
      const { deprecatedAt } = knownType(name);
      if (deprecatedAt === null || now() - deprecatedAt < TYPE_REST_MS)
        throw invalid(`thing type ${name} must have been deprecated for five minutes before it goes`);
      for (const thing of things.values()) if (thing.typeName === name) throw invalid(`thing ${thing.name} is of type ${name}`);
      types.remove(name);
      tools.gone(arnOf(place, 'thingtype', name));
      await documents.saved();
    },

    async attachPrincipal(name, principal) {
      const thing = known(name);
      if (thing.principals.includes(principal)) return;
      things.put(name, { ...thing, principals: [...thing.principals, principal].sort() });
      linkPrincipal(principal, name);
      await documents.saved();
    },
    async detachPrincipal(name, principal) {
      const thing = known(name);
      if (!thing.principals.includes(principal)) throw absent(`principal of thing ${name}`, principal);
      things.put(name, { ...thing, principals: thing.principals.filter((one) => one !== principal) });
      const linked = byPrincipal.get(principal);
      linked?.delete(name);
      if (linked?.size === 0) byPrincipal.delete(principal);
      await documents.saved();
    },
    principalsOf: (name) => known(name).principals,
    thingsOf: (principal) => [...(byPrincipal.get(principal) ?? [])].sort(),

    onMembership: (changed) => {
      hearers.push(changed);
    },
  };
}

/** A thing's ARN and that of a group. */
export const thingArn = (place: Place, name: ThingName): string => arnOf(place, 'thing', name);
export const groupArn = (place: Place, name: string): string => arnOf(place, 'thinggroup', name);
