/** The registry as the job service asks it: who a target stands for, and whose place among the groups has changed. */
import { NotFound, ThingRefused } from '../../actors/contracts/errors.ts';
import type { JobTargets } from '../../actors/contracts/jobs.ts';
import { parseArn } from './arns.ts';
import { FARM } from './names.ts';
import type { Registry } from './ports.ts';

export function jobTargets(registry: Registry): JobTargets {
  return {
    membersOf: (target) => registry.resolve([target]),
    includes(target, thing) {
      const { kind, name } = parseArn(target) ?? { kind: '', name: target };
      if (kind === 'thing') return name === thing;
      if (name === thing && kind === '') return true;
      try {
        return registry.isMember(thing, name);
      } catch (error) {
        if (error instanceof ThingRefused || error instanceof NotFound) return false; // no such group any more
        throw error;
      }
    },
    onMembership(heard) {
      // only a thing that is deleted leaves the group of all
      registry.onMembership(({ kind, thing, group }) => heard({ thing, change: kind === 'left' && group === FARM ? 'deleted' : 'groups' }));
    },
  };
}
