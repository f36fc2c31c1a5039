/** What the gate is shown of a rollout: who is updated, who is not, and both before and after. */
import type { GateLook } from '../../contracts/deployments.ts';
import type { TurbineEvidence } from '../../contracts/evidence.ts';
import type { ModelId, ThingName } from '../../contracts/ids.ts';
import type { Millis } from '../../contracts/units.ts';
import { LATER_MS, lookAt, type Observed } from './gate.ts';
import { BASELINE_MS, type RolloutPorts, SETTLE_MS } from './ports.ts';
import type { RolloutRecord } from './record.ts';

/** Everyone whom the gate may compare, as they were before a wave: the rollout's turbines, and others with the same models. */
export function baselineOf(record: RolloutRecord, { evidence }: RolloutPorts, now: Millis): Record<ThingName, TurbineEvidence> {
  const olds = new Set<ModelId>(Object.values(record.before));
  const baseline: Record<ThingName, TurbineEvidence> = {};
  for (const { thing, model } of evidence.all())
    if (model !== null && (olds.has(model) || model === record.model)) baseline[thing] = evidence.between(thing, now - BASELINE_MS, now);
  return baseline;
}

/** Null while nobody of the wave under way has been updated for long enough. */
export function lookNow(record: RolloutRecord, { evidence }: RolloutPorts, now: Millis): GateLook | null {
  const { updatedAt, waves, stand, before, baseline, plan } = record;
  const ofWave = waves[stand.context.wave].things.flatMap((thing) => updatedAt[thing] ?? []);
  const all = ofWave.length > 0 ? ofWave : Object.values(updatedAt);
  if (all.length === 0) return null;
  const from = Math.min(...all) + SETTLE_MS;
  if (now <= from) return null;
  const observe = (thing: ThingName, since: Millis): Observed => ({
    before: baseline[thing] ?? null,
    after: evidence.between(thing, since, now),
    later: evidence.between(thing, since + LATER_MS, now),
  });
  const updated = Object.entries(updatedAt)
    .map(([thing, at]) => ({ thing, since: Math.max(from, at + SETTLE_MS) }))
    .filter(({ since }) => since < now);
  const olds = new Set<ModelId>(Object.values(before));
  const machines = new Set(updated.map(({ thing }) => evidence.now(thing)?.machine));
  const controls = evidence
    .all()
    .filter(({ thing, model, machine }) => updatedAt[thing] === undefined && model !== null && olds.has(model) && machines.has(machine));
  return lookAt({
    at: now,
    updated: updated.map(({ thing, since }) => observe(thing, since)),
    controls: controls.map(({ thing }) => observe(thing, from)),
    minWindows: plan.minWindows,
    watchedMs: now - from,
  });
}
