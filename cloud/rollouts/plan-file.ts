/** A rollout plan in a file: YAML or JSON. */
import { readFileSync } from 'node:fs';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import type { RolloutWishes } from '../../actors/contracts/deployments.ts';
import { FileInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import { PlanWords } from './wishes.ts';

/** As it is written, once it is known to be one. @throws FileInvalid naming the file, the place and what is wrong */
export function readPlanWords(file: string): unknown {
  try {
    const given: unknown = parseYaml(readFileSync(file, 'utf8'));
    PlanWords.parse(given);
    return given;
  } catch (error) {
    const [start] = error instanceof YAMLParseError ? (error.linePos ?? []) : [];
    const why = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error).split('\n')[0];
    throw new FileInvalid(`${file}:${start?.line ?? 1}:${start?.col ?? 1}: is no rollout plan: ${why}`, {
      cause: error,
      hint: 'as waves: [10%, 100%] and soak: 2m',
    });
  }
}

/** @throws FileInvalid */
export const readRolloutPlan = (file: string): RolloutWishes => PlanWords.parse(readPlanWords(file));
