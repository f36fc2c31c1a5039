/** The fleet's own telemetry at the cloud's door: schemas of what `actors/contracts/telemetry` names. */
import { z } from 'zod';
import { isThingName, type ThingName } from '../../actors/contracts/ids.ts';

const Name = z.string().max(64);
const At = z.number().nonnegative();

export const StateMessage = z.object({
  at: At,
  state: Name,
  cause: z.string().max(256),
  machine: Name,
  backing: Name,
  model: z.string().max(128).nullable(),
  update: Name.nullable(),
});

export const VerdictMessage = z.object({
  at: At,
  model: z.string().max(128),
  anomalous: z.boolean(),
  score: z.number(),
  worst: Name,
  scores: z.record(Name, z.number()),
  announced: z.boolean(),
  tookMs: z.number().nonnegative().optional(),
});

export const TelemetryMessage = z.object({
  at: At,
  every: z.number().positive(),
  channels: z.record(Name, z.tuple([z.number(), z.number(), z.number(), z.number()])),
});

export const TransitionMessage = z.object({ at: At, from: Name, to: Name, event: z.string().max(256) });

/** Records of one message, and characters of one value, at most. */
export const RECORDS_MAX = 1_000;
const TEXT_MAX = 64;

/** On the original's topic. */
export const LogMessage = z.object({
  logs: z.array(z.object({ ts: z.iso.datetime({ offset: true }), data: z.array(z.string().max(TEXT_MAX)) })).max(RECORDS_MAX),
});

/** The thing that `windfleet/<thing>/…` or `wind-turbine/logs/<thing>` is about. @throws Error when it is no name. */
export function thingOf(topic: string): ThingName {
  const [root, second, third] = topic.split('/');
  const name = (root === 'wind-turbine' ? third : second) ?? '';
  if (!isThingName(name)) throw new Error(`${JSON.stringify(name)} is no name of a thing`);
  return name;
}
