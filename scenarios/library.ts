/** The stories of the package, by name. */
import type { Scenario } from './dsl.ts';
import bearingWear from './library/bearing-wear.ts';
import calmDay from './library/calm-day.ts';
import updateUnderWay from './library/update-under-way.ts';

export const stories: Readonly<Record<string, Scenario>> = {
  'bearing-wear': bearingWear,
  'calm-day': calmDay,
  'update-under-way': updateUnderWay,
};
