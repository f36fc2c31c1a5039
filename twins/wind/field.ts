/**
 * The wind at every rotor of a farm: a mean from a number, a class or a file; a slow part that all share and that the wind carries
 * from turbine to turbine; gusts; wakes; and turbulence of each rotor's own.
 */
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { GUST_S, gustAmplitudeMps, gustMps, type TurbulenceClass, turbulenceSigmaMps } from './iec.ts';
import { type Layout, rowLayout } from './layout.ts';
import type { WindSeries } from './series.ts';
import { createTurbulence } from './turbulence.ts';
import type { FarmWakes } from './wake/farm.ts';

export interface WindSpec {
  /** At hub height; with a series it is not read. */
  readonly meanMps: number;
  /** Standard deviation over mean, 0..1; or a class of IEC 61400-1 by which it follows from the mean. */
  readonly turbulenceIntensity: number | TurbulenceClass;
  /** From where, clockwise from north; 270 when absent. */
  readonly directionDeg?: number;
  /** L of the turbulence's spectrum; absent: the site's. */
  readonly lengthM?: number;
  /** Share of the variance in the slow part that the farm has in common, 0..0.2; absent: 0.15, as lies below 1/600 Hz in Kaimal's spectrum. */
  readonly farmShare?: number;
  /** Mean and direction from a file; it begins with the run and its last row holds after it. */
  readonly series?: WindSeries;
  readonly events?: readonly WindEvent[];
}

export type WindEvent =
  /** An extreme operating gust of IEC 61400-1. */
  | { readonly kind: 'gust'; readonly at: Millis }
  /** The mean goes to another value, in a line, and stays there. */
  | { readonly kind: 'ramp'; readonly at: Millis; readonly over: Millis; readonly toMps: number };

/** What the turbines are to the wind. */
export interface WindSite {
  readonly hubHeightM: number;
  readonly diameterM: number;
  /** L of the turbulence's spectrum. */
  readonly lengthM: number;
  readonly layout?: Layout;
  /** [rows] where in the layout each stands; absent: in its order. */
  readonly places?: readonly number[];
  /** Wakes over the same layout; absent: none. */
  readonly wakes?: FarmWakes;
}

export interface WindField {
  /** Writes the wind of every row for time step `step`, from 0; never below 0. */
  advance(windMps: Float64Array, step: number): void;
  /** Of the farm at the last step: from where it blows, clockwise from north, and how warm the file says it is (null: it does not). */
  readonly directionDeg: number;
  readonly temperatureC: number | null;
}

const FARM_SECOND = 600; // the shared part wanders within ten minutes
const FARM_SHARE = 0.15;
const VEER_DEG = 4; // assumption: standard deviation of the farm's direction about its mean
const ADVECTION = 0.9; // of the wind's speed carries the slow part downwind
const HISTORY_S = 3_600; // what has passed the site's origin and what is still to come: no turbine is farther down or up the wind
const RING = 2 * HISTORY_S;
const DELAY_MAX_S = HISTORY_S - 10;
const NO_EVENTS: readonly WindEvent[] = [];
const ORIGIN_GRID_M = 10_000;
const WAKE_EVERY_S = 10;
const MEAN_EVERY_S = 1;
const SHEAR = 0.14; // assumption: over land, as IEC's offshore value

/** @param labels one a row; a row's wind depends on the seed, its label and its place alone. @param dt seconds */
export function createWindField(rng: Rng, labels: readonly string[], spec: WindSpec, site: WindSite, dt: number): WindField {
  const rows = labels.length;
  const { xM, yM } = site.layout ?? rowLayout(rows, 0);
  const places = Uint32Array.from(site.places ?? labels.keys());
  // The corner of a coarse grid that is nearest to the first turbine: who else stands there shifts no one's wind, map coordinates are as good
  // as a farm's own, and the machines of a mixed farm feel one wind.
  const [originX, originY] = [xM, yM].map(([first = 0]) => ORIGIN_GRID_M * Math.round(first / ORIGIN_GRID_M));
  const slow = createSlowPart(rng.fork('farm wind'));
  const veer = createSlowPart(rng.fork('farm direction'));
  const farmShare = spec.farmShare ?? FARM_SHARE;
  const veerDeg = spec.turbulenceIntensity === 0 ? 0 : VEER_DEG; // without turbulence the wind is what the file says, its direction too
  const meanAt = (tS: number) => meanOf(spec, tS);
  const sigmaAt = (meanMps: number) =>
    typeof spec.turbulenceIntensity === 'number'
      ? spec.turbulenceIntensity * meanMps
      : turbulenceSigmaMps(meanMps, spec.turbulenceIntensity);
  const turbulence = createTurbulence({
    streams: labels.map((label) => rng.fork(label).fork('wind')),
    meanMps: meanAt(0),
    lengthM: spec.lengthM ?? site.lengthM,
    dt,
    slowShare: farmShare,
  });
  const delayS = new Float32Array(rows);
  const wakeFactor = new Float32Array(rows).fill(1);
  const wakeTurbulence = new Float32Array(rows).fill(1);
  const every = (seconds: number, step: number) => step % Math.max(1, Math.round(seconds / dt)) === 0;
  let directionDeg = spec.directionDeg ?? 270;
  let temperatureC: number | null = null;
  let meanMps = meanAt(0);
  let sigmaMps = sigmaAt(meanMps);

  const followMean = (tS: number) => {
    meanMps = meanAt(tS);
    sigmaMps = sigmaAt(meanMps);
    turbulence.setMean(meanMps);
    const sample = spec.series?.at(spec.series.fromS + tS);
    temperatureC = spec.series?.hasTemperature ? (sample?.temperatureC ?? null) : null;
    directionDeg =
      ((sample && spec.series?.hasDirection ? sample.directionDeg : (spec.directionDeg ?? 270)) + veerDeg * veer.at(tS) + 360) % 360;
  };
  const followPlaces = () => {
    const towards = ((270 - directionDeg) * Math.PI) / 180;
    const carriedMps = ADVECTION * Math.max(meanMps, 1);
    for (let i = 0; i < rows; i++) {
      const delay = (Math.cos(towards) * (xM[places[i]] - originX) + Math.sin(towards) * (yM[places[i]] - originY)) / carriedMps;
      delayS[i] = Math.max(-DELAY_MAX_S, Math.min(DELAY_MAX_S, delay));
    }
    if (!site.wakes) return;
    const ambient = Math.max(0.001, sigmaMps / Math.max(meanMps, 0.1));
    const woken = site.wakes.solve({ windMps: meanMps, directionDeg, turbulenceIntensity: ambient, shear: SHEAR });
    for (let i = 0; i < rows; i++) {
      wakeFactor[i] = woken.windMps[places[i]] / Math.max(meanMps, 0.1);
      wakeTurbulence[i] = woken.turbulenceIntensity[places[i]] / ambient;
    }
  };

  return {
    get directionDeg() {
      return directionDeg;
    },
    get temperatureC() {
      return temperatureC;
    },
    advance(windMps, step) {
      const tS = step * dt;
      slow.advance(tS + HISTORY_S);
      veer.advance(tS);
      if (every(MEAN_EVERY_S, step) || spec.series) followMean(tS);
      if (every(WAKE_EVERY_S, step)) followPlaces();
      const sudden = gustsAt(spec, site, meanMps, sigmaMps, tS);
      const slowMps = sigmaMps * Math.sqrt(farmShare);
      turbulence.advance(windMps, step, 0, rows); // in standard deviations, and in the next line a wind
      for (let i = 0; i < rows; i++) {
        const here = meanMps + sudden + slowMps * slow.at(tS - delayS[i]);
        const wind = here * wakeFactor[i] + sigmaMps * wakeTurbulence[i] * wakeFactor[i] * windMps[i];
        windMps[i] = Math.max(wind, 0);
      }
    },
  };
}

/** An Ornstein–Uhlenbeck process of variance 1 in steps of a second, linear between them, with two hours of it at hand. */
function createSlowPart(chance: Rng) {
  const values = new Float64Array(RING);
  const a = Math.exp(-1 / FARM_SECOND);
  const kick = Math.sqrt(1 - a * a);
  let last = -HISTORY_S; // the second of the newest value
  let x = chance.normal(last);
  values[(last + RING) % RING] = x;
  return {
    advance(tS: number): void {
      while (last < tS + 1) {
        last++;
        x = a * x + kick * chance.normal(last);
        values[(last + RING) % RING] = x;
      }
    },
    at(tS: number): number {
      const second = Math.floor(tS);
      const before = values[(second + RING) % RING];
      return before + (tS - second) * (values[(second + 1 + RING) % RING] - before);
    },
  };
}

function meanOf({ meanMps, series, events = NO_EVENTS }: WindSpec, tS: number): number {
  let mean = series ? series.at(series.fromS + tS).windMps : meanMps;
  for (const event of events) {
    if (event.kind !== 'ramp' || tS * 1_000 <= event.at) continue;
    mean += (event.toMps - mean) * (event.over > 0 ? Math.min(1, (tS * 1_000 - event.at) / event.over) : 1);
  }
  return mean;
}

function gustsAt(
  { events = NO_EVENTS }: WindSpec,
  { diameterM, hubHeightM }: WindSite,
  hubMps: number,
  sigmaMps: number,
  tS: number,
): number {
  let sum = 0;
  for (const event of events) {
    if (event.kind !== 'gust') continue;
    const sinceS = tS - event.at / 1_000;
    if (sinceS > 0 && sinceS < GUST_S) sum += gustMps(gustAmplitudeMps({ hubMps, sigmaMps, diameterM, hubHeightM }), sinceS);
  }
  return sum;
}
