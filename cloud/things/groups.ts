/** Groups of things, nested: a thing in a group is in those above it too. `farm` is there without being stored. */
import { ThingRefused } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import { arnOf } from './arns.ts';
import type { Collection } from './documents.ts';
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
import type { MembershipChange, Registry, ThingGroup } from './ports.ts';
import type { RegistryTools, StoredThing } from './registry.ts';

const MOST_ATTRIBUTES = 50;
const DEEPEST = 7; // AWS IoT: levels of a hierarchy
const MOST_CHILDREN = 100;
const MOST_OF_A_THING = 10;

type GroupOperations = Pick<
  Registry,
  | 'createGroup'
  | 'describeGroup'
  | 'ancestorsOf'
  | 'groups'
  | 'updateGroup'
  | 'removeGroup'
  | 'join'
  | 'leave'
  | 'members'
  | 'groupsOf'
  | 'isMember'
>;

interface GroupTools extends RegistryTools {
  readonly things: Collection<StoredThing>;
  /** @throws ThingRefused ResourceNotFound */
  readonly known: (name: ThingName) => StoredThing;
  readonly tell: (kind: MembershipChange['kind'], thing: ThingName, groups: Iterable<string>) => void;
}

export interface ThingGroups {
  readonly operations: GroupOperations;
  exists(name: string): boolean;
  names(): readonly string[];
  /** Takes a thing that goes out of its groups; the caller removes it. @returns all groups that it was in */
  forget(thing: StoredThing): readonly string[];
}

export function thingGroups({ documents, place, now, newId, gone, things, known, tell }: GroupTools): ThingGroups {
  const stored = documents.collection<ThingGroup>('group');
  const farm: ThingGroup = {
    name: FARM,
    id: 'farm',
    parent: null,
    description: 'every thing',
    attributes: {},
    version: 1,
    createdAt: now(),
  };
  const members = new Map<string, Set<ThingName>>(); // direct ones
  const children = new Map<string, Set<string>>();

  const into = <K, V>(map: Map<K, Set<V>>, key: K, value: V) => {
    const set = map.get(key) ?? new Set<V>();
    map.set(key, set.add(value));
  };
  const index = () => {
    members.clear();
    children.clear();
    for (const { name, parent } of stored.values()) if (parent !== null) into(children, parent, name);
    for (const { name, groups } of things.values()) for (const group of groups) into(members, group, name);
  };
  documents.onReload(index);
  index();

  const group = (name: string): ThingGroup => {
    const found = name === FARM ? farm : stored.get(name);
    if (!found) throw absent('thing group', name, [FARM, ...stored.keys()]);
    return found;
  };
  /** From the root down to the group itself. */
  const lineOf = (name: string): readonly string[] => {
    const line: string[] = [];
    for (let at: string | null = name; at !== null; at = group(at).parent) line.unshift(at);
    return line;
  };
  /** The group and all below it. */
  const below = (name: string): readonly string[] => [name, ...[...(children.get(name) ?? [])].flatMap(below)];
  const reach = (groups: readonly string[]) => new Set(groups.flatMap(lineOf));
  const isFarm = (name: string) => {
    if (name === FARM) throw invalid(`the group ${FARM} is every thing: it cannot be changed`);
  };

  const put = async (thing: StoredThing, groups: readonly string[]) => {
    const [before, after] = [reach(thing.groups), reach(groups)];
    for (const name of thing.groups) if (!groups.includes(name)) members.get(name)?.delete(thing.name);
    for (const name of groups) into(members, name, thing.name);
    things.put(thing.name, { ...thing, groups });
    await documents.saved();
    tell(
      'left',
      thing.name,
      [...before].filter((name) => !after.has(name)),
    );
    tell(
      'joined',
      thing.name,
      [...after].filter((name) => !before.has(name)),
    );
  };

  return {
    exists: (name) => name === FARM || stored.has(name),
    names: () => [FARM, ...stored.keys()],
    forget(thing) {
      for (const name of thing.groups) members.get(name)?.delete(thing.name);
      return [...reach(thing.groups)];
    },
    operations: {
      async createGroup({ name, parent = null, description = '', attributes = {} }) {
        checkName('group', name);
        checkDescription(description);
        checkAttributes(attributes, MOST_ATTRIBUTES);
        if (name === FARM || stored.has(name)) throw new ThingRefused('ResourceAlreadyExists', `thing group ${name} is there already`);
        if (parent !== null) {
          isFarm(parent);
          if (lineOf(parent).length >= DEEPEST) throw invalid(`a group below ${parent} would be deeper than ${DEEPEST} levels`);
          if ((children.get(parent)?.size ?? 0) >= MOST_CHILDREN) throw invalid(`${parent} has ${MOST_CHILDREN} groups below it already`);
          into(children, parent, name);
        }
        const made = { name, id: newId(), parent, description, attributes, version: 1, createdAt: now() };
        stored.put(name, made);
        await documents.saved();
        return made;
      },
      describeGroup: group,
      ancestorsOf: (name) => lineOf(name).slice(0, -1),
      groups({ parent, prefix = '', recursive = true } = {}) {
        if (parent !== undefined) group(parent);
        const inReach = parent === undefined ? null : new Set(recursive ? below(parent).slice(1) : (children.get(parent) ?? []));
        return [farm, ...stored.values()]
          .filter((one) => one.name.startsWith(prefix))
          .filter((one) => (inReach ? inReach.has(one.name) : recursive || one.parent === null))
          .sort(byName);
      },
      async updateGroup(name, { description, attributes, mergeAttributes = false, expectedVersion }) {
        isFarm(name);
        const before = group(name);
        checkVersion(`thing group ${name}`, before.version, expectedVersion);
        if (description !== undefined) checkDescription(description);
        if (attributes) checkAttributes(attributes, MOST_ATTRIBUTES);
        const merged = attributes ? mergedAttributes(before.attributes, attributes, mergeAttributes) : before.attributes;
        checkAttributes(merged, MOST_ATTRIBUTES);
        const isSame = (description ?? before.description) === before.description && sameTexts(merged, before.attributes);
        const after = {
          ...before,
          description: description ?? before.description,
          attributes: merged,
          version: before.version + (isSame ? 0 : 1),
        };
        stored.put(name, after);
        await documents.saved();
        return after;
      },
      async removeGroup(name, expectedVersion) {
        isFarm(name);
        const before = stored.get(name);
        if (!before) return;
        checkVersion(`thing group ${name}`, before.version, expectedVersion);
        if ((children.get(name)?.size ?? 0) > 0) throw invalid(`thing group ${name} has groups below it`, 'delete those first');
        const left = [...(members.get(name) ?? [])];
        const line = lineOf(name);
        for (const thing of left) {
          const one = things.get(thing)!;
          things.put(thing, { ...one, groups: one.groups.filter((other) => other !== name) });
        }
        members.delete(name);
        stored.remove(name);
        gone(arnOf(place, 'thinggroup', name));
        if (before.parent !== null) children.get(before.parent)?.delete(name);
        await documents.saved();
        for (const thing of left) {
          const still = reach(things.get(thing)?.groups ?? []);
          tell(
            'left',
            thing,
            line.filter((other) => !still.has(other)),
          );
        }
      },
      async join(name, target) {
        const thing = known(name);
        if (group(target) === farm || thing.groups.includes(target)) return;
        if (thing.groups.length >= MOST_OF_A_THING) throw invalid(`thing ${name} is in ${MOST_OF_A_THING} groups already`);
        const [root] = lineOf(target);
        // AWS IoT: at most one group of a hierarchy
        const rival = thing.groups.find((other) => lineOf(other)[0] === root);
        if (rival !== undefined) throw invalid(`thing ${name} is in ${rival}, which is of the same hierarchy as ${target}`);
        await put(thing, [...thing.groups, target].sort());
      },
      async leave(name, target) {
        const thing = known(name);
        isFarm(group(target).name);
        if (thing.groups.includes(target))
          await put(
            thing,
            thing.groups.filter((other) => other !== target),
          );
      },
      members(name, { recursive = false } = {}) {
        if (group(name) === farm) return [...things.keys()].sort();
        const all = recursive ? below(name) : [name];
        return [...new Set(all.flatMap((one) => [...(members.get(one) ?? [])]))].sort();
      },
      groupsOf: (name) => known(name).groups,
      isMember: (name, target) => target === FARM || reach(things.get(name)?.groups ?? []).has(target),
    },
  };
}
