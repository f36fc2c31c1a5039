/** A plan as people and machines write it, at the door: `waves: [10%, 100%]`, `soak: 2m`. `actors/fleet/rollout/plan` says what makes sense. */
import { z } from 'zod';
import type { RolloutWishes, WaveSize } from '../../actors/contracts/deployments.ts';
import { parseDuration } from '../../actors/contracts/units.ts';

const Duration = z
  .string()
  .refine((text) => parseDuration(text) !== null, 'is no duration, as 2m')
  .transform((text) => parseDuration(text)!);
const Wave = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?%?$/, 'is no count and no share, as 5 or 10%')])
  .transform((given): WaveSize => (typeof given === 'number' || given.endsWith('%') ? (given as WaveSize) : Number(given)));

export const planFields = {
  waves: z
    .union([z.string().transform((text) => text.split(',').map((part) => part.trim())), z.array(z.unknown())])
    .pipe(z.array(Wave).min(1).max(50))
    .optional(),
  soak: Duration.optional(),
  budgetKw: z.number().optional(),
  budgetDevices: z.number().optional(),
  window: z.string().max(1_000).optional(),
  minWindows: z.number().optional(),
  longestWait: Duration.optional(),
};

/** What `plan` may say. */
export const PlanWords = z.strictObject(planFields);

/** What is said beside a plan goes before it. */
export const mergeWishes = (plan: RolloutWishes | undefined, said: RolloutWishes): RolloutWishes => ({
  ...plan,
  ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
});
