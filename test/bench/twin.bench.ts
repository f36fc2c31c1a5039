import { nrel5mwParameters as parameters } from '../../twins/library/nrel-5mw.ts';
import { cosineOfTurn, minusLogOfRest, sinesAndCosines } from '../../twins/elementary.ts';
import { createRng } from '../../twins/rng.ts';
import { createVariableSpeedColumns } from '../../twins/turbine/variable-speed/columns.ts';
import { createVariableSpeedEffects } from '../../twins/turbine/variable-speed/effects.ts';
import { createVariableSpeedPlant } from '../../twins/turbine/variable-speed/step.ts';
import { createTurbulence } from '../../twins/wind/turbulence.ts';
import { type Figure, nanosecondsEach } from '../kit/bench.ts';
import { PlainTurbine } from './plain-turbine.ts';

const ROWS = 4_000;
const MEAN = 11;
const ROUNDS = 5;

/** One step of a 5-MW turbine, turbulence and all, in a farm of thousands; the baselines are an object a turbine, with and without tables. */
export async function bench(): Promise<Figure[]> {
  const streams = Array.from({ length: ROWS }, (_, i) => createRng(1).fork(`T-${i}`));
  const plant = createVariableSpeedPlant(parameters, 0.05);
  const c = createVariableSpeedColumns(ROWS);
  const e = createVariableSpeedEffects(ROWS);
  const turbulence = createTurbulence({ streams, meanMps: MEAN, lengthM: 340.2, dt: 0.05 });
  const fluctuation = new Float64Array(ROWS);
  for (let row = 0; row < ROWS; row++) plant.settle(c, row, MEAN);
  let step = 0;
  const columns = (steps: number) => {
    for (let s = 0; s < steps; s++) {
      turbulence.advance(fluctuation, step++, 0, ROWS);
      for (let i = 0; i < ROWS; i++) c.windMps[i] = Math.max(0, MEAN + 0.17 * MEAN * fluctuation[i]);
      plant.step(c, e, 1.225, 0, ROWS);
    }
  };
  const objects = (plainMath: boolean) => {
    const turbines = streams.map((stream) => new PlainTurbine(parameters, plant.surface, stream, MEAN, plainMath));
    return (steps: number) => {
      for (let s = 0; s < steps; s++) {
        step++;
        for (const turbine of turbines) turbine.step(step, 1.225);
      }
    };
  };
  const works = [columns, objects(false), objects(true)];
  const best = works.map(() => Number.POSITIVE_INFINITY);
  for (
    let round = 0;
    round < ROUNDS;
    round++ // in turns, and the best of each: a busy moment of the machine must not fall on one alone
  )
    for (const [w, work] of works.entries()) best[w] = Math.min(best[w], nanosecondsEach(work, 20, 3) / ROWS);
  const [real, tables, plain] = best;
  const unit = 'ns a turbine and step';
  return [
    { name: '5-MW step', value: real, unit, baseline: { name: 'an object a turbine', value: tables, ratio: tables / real } },
    { name: '5-MW step', value: real, unit, baseline: { name: 'with Math.log, cos and sin', value: plain, ratio: plain / real } },
    ...elementary(),
  ];
}

/** The twins' own elementary functions; the baselines are Math's. */
function elementary(): Figure[] {
  const count = 20_000; // so many, and by chance: branches that could be learnt would cost Math nothing
  const words = Int32Array.from({ length: 2 * count }, (_, i) => (createRng(1).uniform(i) * 2 ** 32) | 0);
  const angles = Float64Array.from({ length: 2 * count }, (_, i) => (i < count ? 0.03 * Math.sin(i) : 7.3 * i)); // a nacelle's, a rotor's
  const [one, two] = [new Float64Array(2 * count), new Float64Array(2 * count)];
  const each = (fill: () => void, of: number) =>
    nanosecondsEach((times) => {
      for (let t = 0; t < times; t++) fill();
    }, 20) / of;
  const figure = (name: string, value: number, unit: string, plain: number): Figure => ({
    name,
    value,
    unit,
    baseline: { name: 'Math', value: plain, ratio: plain / value },
  });
  const normals = () => {
    for (let i = 0; i < count; i++) one[i] = Math.sqrt(2 * minusLogOfRest(words[i])) * cosineOfTurn(words[count + i]);
  };
  const plainNormals = () => {
    for (let i = 0; i < count; i++) {
      const u = (words[i] >>> 0) / 2 ** 32;
      one[i] = Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * ((words[count + i] >>> 0) / 2 ** 32));
    }
  };
  const turns = () => sinesAndCosines(angles, one, two);
  const plainTurns = () => {
    for (let i = 0; i < angles.length; i++) {
      one[i] = Math.sin(angles[i]);
      two[i] = Math.cos(angles[i]);
    }
  };
  return [
    figure('normal', each(normals, count), 'ns a draw of two words', each(plainNormals, count)),
    figure('sine and cosine', each(turns, 2 * count), 'ns an angle', each(plainTurns, 2 * count)),
  ];
}
