/** A story with every twin of it behind a serial line: the real driver, fed by a firmware emulator. */
import type { FleetEntry, Scenario } from '../../scenarios/dsl.ts';

export function onSerialLines(story: Scenario): Scenario {
  let twins = 0;
  const fleet = story.fleet.flatMap((entry): FleetEntry[] => {
    if (!('twins' in entry)) return [entry];
    return Array.from({ length: entry.twins }, () => {
      const thing = `T-${String(++twins).padStart(3, '0')}`;
      return { serial: 'emulated', thing, ...(entry.tags ? { tags: entry.tags } : {}) };
    });
  });
  return { ...story, fleet };
}
