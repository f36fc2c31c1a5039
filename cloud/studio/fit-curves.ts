/**
 * The curves of a pipeline's features, fitted to the training part: what is usual of one reading at another, where the rotor turns.
 *
 * Eight points, evenly spaced over what was seen, each by a local line through its neighbourhood. Both readings are smoothed first:
 * a curve through noisy abscissae would be too flat.
 */
import type { Channel } from '../../actors/contracts/channels.ts';
import type { FeatureSpec, SignalSpec } from '../../actors/contracts/model.ts';
import { leaning, LOW_PASS, lowPass, passing } from '../../actors/signal/low-pass.ts';
import { CURVE_POINTS } from '../../actors/signal/operations.ts';
import { createPairs, type Pairs } from './pairs.ts';
import type { Fit } from './fit.ts';

const SMOOTH_SECONDS = 5;
/** Since the rotor began to turn, before its readings count. */
const SETTLED_SECONDS = 20;
const EVERY_SECONDS = 1;
const EXTREMES = 1e-3; // of the pairs, at either end, lie beyond the outermost points

/** Null when no feature has a curve. */
export function fitCurves(signal: SignalSpec, channels: readonly Channel[], rows: number): Fit | null {
  const curved = signal.features.filter(({ op }) => op === 'curve' || op === 'vibration-curve');
  if (curved.length === 0) return null;
  const sides = curved.map((feature) => openSides(feature, channels, rows, signal.rateHz));
  const pairs = curved.map(() => createPairs());
  return {
    hear(row, part, anew, values, offset) {
      if (part !== 'training') return;
      for (let c = 0; c < sides.length; c++) {
        if (anew) sides[c].reset(row);
        const pair = sides[c].push(row, values, offset);
        if (pair) pairs[c].add(pair[0], pair[1]);
      }
    },
    finish: () => ({
      ...signal,
      features: signal.features.map((feature) => {
        const c = curved.indexOf(feature);
        return c < 0 ? feature : { ...feature, parameters: { ...feature.parameters, ...curveThrough(pairs[c]) } };
      }),
    }),
  };
}

interface Sides {
  /** @returns x and y once in a while, when the rotor has turned for long enough; the array is used again. */
  push(row: number, values: Float64Array, offset: number): readonly [x: number, y: number] | null;
  reset(row: number): void;
}

function openSides({ op, channels: names, parameters }: FeatureSpec, channels: readonly Channel[], rows: number, rateHz: number): Sides {
  const columns = names.map((name) => channels.findIndex((channel) => channel.name === name));
  const gate = columns[columns.length - 1];
  const isVibration = op === 'vibration-curve';
  const shaken = isVibration ? columns.slice(0, -1) : [];
  const [y, x] = isVibration ? [-1, gate] : columns;
  const smooth = passing(SMOOTH_SECONDS, rateHz);
  const highPass = passing(parameters['highPassSeconds'] ?? 0, rateHz);
  const [lag, xLag] = [passing(parameters['lagSeconds'] ?? 0, rateHz), passing(parameters['xLagSeconds'] ?? 0, rateHz)];
  const width = LOW_PASS * (4 + shaken.length) + 1;
  const memory = new Float64Array(rows * width).fill(Number.NaN);
  const turning = new Uint32Array(rows);
  const pair: [number, number] = [0, 0];
  const every = Math.round(EVERY_SECONDS * rateHz);
  const wanted = Math.round(SETTLED_SECONDS * rateHz);

  return {
    push(row, values, offset) {
      const at = row * width;
      turning[row] = values[offset + gate] > parameters['gate'] ? turning[row] + 1 : 0;
      pair[0] = lowPass(memory, at + LOW_PASS, lowPass(memory, at, values[offset + x], xLag), smooth);
      if (isVibration) {
        let power = 0;
        for (let k = 0; k < shaken.length; k++) {
          const reading = values[offset + shaken[k]];
          power += (reading - lowPass(memory, at + LOW_PASS * (4 + k), reading, highPass)) ** 2;
        }
        pair[1] = Math.sqrt(leaning(memory, at + width - 1, power, smooth, power));
      } else pair[1] = lowPass(memory, at + 3 * LOW_PASS, lowPass(memory, at + 2 * LOW_PASS, values[offset + y], lag), smooth);
      return turning[row] >= wanted && turning[row] % every === 0 && Number.isFinite(pair[0] + pair[1]) ? pair : null;
    },
    reset(row) {
      memory.fill(Number.NaN, row * width, (row + 1) * width);
      turning[row] = 0;
    },
  };
}

/** x0 y0 … of the points; with fewer than two different x a flat line. */
function curveThrough({ x, y, count }: Pairs): Record<string, number> {
  const order = x.slice(0, count).sort();
  const [low, high] = [order[Math.floor(EXTREMES * (count - 1))] ?? 0, order[Math.ceil((1 - EXTREMES) * (count - 1))] ?? 0];
  const reach = Math.max((high - low) / (CURVE_POINTS - 1), Number.MIN_VALUE);
  const points: Record<string, number> = {};
  for (let p = 0; p < CURVE_POINTS; p++) {
    points[`x${p}`] = low + p * reach;
    points[`y${p}`] = localLine(x, y, count, low + p * reach, reach);
  }
  return points;
}

/** The value at `at` of the line through its neighbours, which weigh less the farther they are; so wide that there are enough of them. */
function localLine(x: Float64Array, y: Float64Array, count: number, at: number, reach: number): number {
  for (let wide = reach; ; wide *= 2) {
    let [sum, sx, sy, sxx, sxy, inside] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < count; i++) {
      const off = x[i] - at;
      const weight = 1 - Math.abs(off) / wide;
      if (!(weight > 0)) continue;
      inside++;
      sum += weight;
      sx += weight * off;
      sy += weight * y[i];
      sxx += weight * off * off;
      sxy += weight * off * y[i];
    }
    if (inside < Math.min(LEAST_NEIGHBOURS, count)) continue;
    const determinant = sum * sxx - sx * sx;
    if (sum === 0) return 0;
    return determinant > 1e-9 * sum * sxx ? (sxx * sy - sx * sxy) / determinant : sy / sum;
  }
}

const LEAST_NEIGHBOURS = 20;
