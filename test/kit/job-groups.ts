/** Groups of things in memory, nested ones too: the registry as the job service sees it. */
import { NotFound } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { JobTargets, MembershipChange } from '../../actors/contracts/jobs.ts';

export interface JobGroups extends JobTargets {
  add(group: string, ...members: readonly string[]): void;
  take(group: string, member: string): void;
  delete(thing: ThingName): void;
}

/** A name with a group of that name is the group; every other one is a thing. */
export function jobGroups(): JobGroups {
  const groups = new Map<string, Set<string>>();
  const deleted = new Set<ThingName>();
  const listeners: ((change: MembershipChange) => void)[] = [];
  const membersOf = (target: string): ThingName[] => {
    const members = groups.get(target);
    if (target.startsWith('missing')) throw new NotFound(`no thing or group ${target}`);
    return members ? [...new Set([...members].flatMap(membersOf))] : deleted.has(target) ? [] : [target];
  };
  const tell = (member: string) => {
    for (const thing of membersOf(member)) for (const heard of listeners) heard({ thing, change: 'groups' });
  };
  return {
    membersOf,
    includes: (target, thing) => membersOf(target).includes(thing),
    onMembership: (heard) => {
      listeners.push(heard);
    },
    add(group, ...members) {
      const all = groups.get(group) ?? new Set();
      groups.set(group, all);
      for (const member of members) {
        all.add(member);
        tell(member);
      }
    },
    take(group, member) {
      groups.get(group)?.delete(member);
      tell(member);
    },
    delete(thing) {
      deleted.add(thing);
      for (const members of groups.values()) members.delete(thing);
      for (const heard of listeners) heard({ thing, change: 'deleted' });
    },
  };
}
