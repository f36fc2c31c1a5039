/** The twins that the options of `up` ask for: their machine, wind and places, from the library or from files. */
import { UsageError } from '../../../actors/contracts/errors.ts';
import type { FleetGroup } from '../../../scenarios/bodies.ts';
import { windOf } from '../../../twins/library/machines.ts';
import { createRng } from '../../../twins/rng.ts';
import type { WindSpec } from '../../../twins/wind/field.ts';
import { type Layout, parseLayout, shapedLayout } from '../../../twins/wind/layout.ts';
import { parseWindSeries } from '../../../twins/wind/series.ts';
import type { UpOptions } from '../../config.ts';
import { openMachine, readText } from './machine.ts';

/** @throws FileInvalid naming every fault of a machine, wind or layout file. */
export async function fleetOf(options: UpOptions): Promise<FleetGroup[]> {
  const twins = options.replay !== undefined && options.turbinesByDefault ? 0 : options.turbines;
  const groups = options.fleet ?? [{ turbines: twins, like: options.like }];
  const series = options.windFile === undefined ? null : parseWindSeries(readText(options.windFile), options.windFile);
  const all = groups.reduce((sum, { turbines }) => sum + turbines, 0);
  const layout = options.layout === undefined ? null : openLayout(options.layout, all, options.seed);
  if (layout && layout.xM.length !== all)
    throw new UsageError(`${options.layout} has places for ${layout.xM.length} turbines, and the farm has ${all}`, {
      hint: `--turbines ${layout.xM.length}`,
    });
  let first = 0;
  return Promise.all(
    groups.map(async ({ turbines, like }) => {
      const from = first;
      first += turbines;
      const machine = await openMachine(like);
      const wind: WindSpec = { ...windOf(machine), ...options.wind, ...(series ? { series } : {}) };
      const places = layout ? { layout: { xM: layout.xM.slice(from, from + turbines), yM: layout.yM.slice(from, from + turbines) } } : {};
      return { twins: turbines, machine, wind, ...places };
    }),
  );
}

/** A shape with a spacing, or a file. */
export const openLayout = (text: string, count: number, seed: number): Layout =>
  shapedLayout(text, count, createRng(seed).fork('layout')) ?? parseLayout(readText(text), text);
