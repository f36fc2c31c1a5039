/**
 * The weather over a farm: temperature with its year, its day and some days of chance; pressure about that of the altitude; humidity
 * by a dew point that wanders; from them the density of the air.
 *
 * Each reading is a function of (seed, time): chance is noise between the days, drawn at whole days and joined smoothly.
 */
import type { Rng } from '../../actors/contracts/rng.ts';
import { airDensity, isaPressurePa, saturationPressurePa } from './air.ts';

export interface ClimateSpec {
  readonly altitudeM: number;
  readonly meanC: number;
  /** Half of the swing over a year, and over a day. */
  readonly seasonK: number;
  readonly dayK: number;
}

export interface Weather {
  readonly temperatureC: number;
  readonly pressurePa: number;
  /** Relative, 0..1. */
  readonly humidity: number;
  /** kg/m³ */
  readonly airDensity: number;
}

/** A temperate plain; assumption. */
export const temperate: ClimateSpec = { altitudeM: 0, meanC: 10, seasonK: 9, dayK: 4 };

const DAY_S = 86_400;
const COLDEST_DAY = 20; // of the year, north of the tropics
const COLDEST_HOUR = 5;
const CHANCE_K = 3; // assumption: how far air masses differ
const SYNOPTIC_PA = 800;
const DEW_POINT_BELOW_K = 4; // assumption: below the day's mean

/** @param tS seconds since the year began */
export function weatherAt({ altitudeM, meanC, seasonK, dayK }: ClimateSpec, chance: Rng, tS: number): Weather {
  const days = tS / DAY_S;
  const season = -seasonK * Math.cos((2 * Math.PI * (days - COLDEST_DAY)) / 365.25);
  const airMass = CHANCE_K * betweenDays(chance.fork('temperature'), days / 2);
  const dayMeanC = meanC + season + airMass;
  const temperatureC = dayMeanC - dayK * Math.cos(2 * Math.PI * (days - COLDEST_HOUR / 24));
  const pressurePa = isaPressurePa(altitudeM) + SYNOPTIC_PA * betweenDays(chance.fork('pressure'), days / 2);
  const dewPointC = dayMeanC - DEW_POINT_BELOW_K + 2 * betweenDays(chance.fork('dew point'), days / 2);
  const humidity = Math.min(1, saturationPressurePa(dewPointC) / saturationPressurePa(temperatureC));
  return { temperatureC, pressurePa, humidity, airDensity: airDensity(temperatureC, pressurePa, humidity) };
}

/** Standard normal at whole numbers, in between joined so that the variance stays 1. */
function betweenDays(chance: Rng, x: number): number {
  const day = Math.floor(x);
  const angle = ((x - day) * Math.PI) / 2;
  return Math.cos(angle) * chance.normal(day) + Math.sin(angle) * chance.normal(day + 1);
}
