/** Where a farm stands: a plausible name and coordinates by seed, and each turbine's own from the layout. */
import type { Rng } from '../actors/contracts/rng.ts';
import type { FarmSite, PlacedTurbine } from '../actors/contracts/site.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Layout } from './wind/layout.ts';

const METRES_PER_DEGREE = 111_320; // of latitude, on a sphere of the earth's mean radius
const LANDFORMS = ['Moor', 'Ridge', 'Down', 'Heath', 'Fell', 'Plain', 'Point', 'Bank'];

/** Loads the library of names: only what shows them needs it. */
export async function inventSite(rng: Rng): Promise<Omit<FarmSite, 'turbines'>> {
  const { en, Faker } = await import('faker');
  const names = new Faker({ locale: en });
  names.seed([...rng.fork('site').key]);
  return {
    name: `${names.location.city()} ${names.helpers.arrayElement(LANDFORMS)}`,
    latitudeDeg: names.location.latitude({ min: 35, max: 60, precision: 4 }),
    longitudeDeg: names.location.longitude({ min: -10, max: 25, precision: 4 }),
  };
}

/** Turbines of one machine on the site's grid; without a layout all stand at its middle. */
export const placeTurbines = (
  { latitudeDeg, longitudeDeg }: Pick<FarmSite, 'latitudeDeg' | 'longitudeDeg'>,
  machine: string,
  things: readonly ThingName[],
  layout: Layout | undefined,
): PlacedTurbine[] =>
  things.map((thing, i) => {
    const [eastM, northM] = layout ? [layout.xM[i], layout.yM[i]] : [0, 0];
    const round = (deg: number) => Number(deg.toFixed(6));
    return {
      thing,
      machine,
      eastM,
      northM,
      latitudeDeg: round(latitudeDeg + northM / METRES_PER_DEGREE),
      longitudeDeg: round(longitudeDeg + eastM / (METRES_PER_DEGREE * Math.cos((latitudeDeg * Math.PI) / 180))),
    };
  });
