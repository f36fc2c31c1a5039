/**
 * The operations of the `stream` pipeline, by name: each turns some channels of one sample into one feature, with a few numbers
 * of memory and nothing of the future.
 *
 * What only a turning rotor can tell is *gated*: unless the last channel, its speed or its voltage, has been above `gate` for
 * `gateSeconds`, the feature is at what is usual, and its memory goes there, so that starts and stops are no anomaly. After a break
 * slow features begin at what is usual too: a few samples are no evidence.
 */
import type { FeatureSpec } from '../contracts/model.ts';
import { pitch, roll } from './euler.ts';
import { leaning, LOW_PASS, lowPass, passing } from './low-pass.ts';
import type { OperationShape } from './resolve.ts';
import { opened, type Samples, shaking, smoothed, smoothing, type Stage, type Stages } from './stages.ts';

export type Parameters = Readonly<Record<string, number>>;

export interface Operation extends OperationShape {
  /** How many of its channels, from the first on, the feature tells of; the others only gate it, or say what is usual. Absent: all of them. */
  readonly tellsOf?: (channels: number) => number;
  /** The last step to the feature; those before it are among `stages`. @param columns of its channels */
  open(parameters: Parameters, columns: readonly number[], rateHz: number, stages: Stages): Stage;
}

/** The channels that a feature tells of; those that only gate it, or say what is usual, are not among them. */
export function channelsTold({ op, channels }: FeatureSpec): readonly string[] {
  const tellsOf = Object.hasOwn(operations, op) ? operations[op].tellsOf : undefined;
  return tellsOf ? channels.slice(0, tellsOf(channels.length)) : channels;
}

/** Points of a `curve`: linear between them, and beyond them as between the outermost two. */
export const CURVE_POINTS = 8;
const curvePoints = Array.from({ length: CURVE_POINTS }, (_, i) => [`x${i}`, `y${i}`]).flat();

export const operations: Readonly<Record<string, Operation>> = {
  /** The channel as it is, low-passed by `seconds` (0 for none). */
  value: {
    channels: [1, 1],
    parameters: ['seconds'],
    open: ({ seconds }, [x], rateHz) => smoothing(x, seconds, rateHz),
  },
  /** Roll of the quaternion qx qy qz qw, rad, low-passed from `usual` on. */
  roll: attitude(rolls),
  /** Pitch, likewise. */
  pitch: attitude(pitches),

  /** Vibration: the root mean square, over `rmsSeconds`, of what is left of the channels above a high-pass of `seconds`. */
  vibration: {
    channels: [1, 16],
    parameters: ['seconds', 'rmsSeconds'],
    open({ seconds, rmsSeconds }, columns, rateHz, stages) {
      const power = shaking(stages, columns, seconds, rateHz);
      const slow = passing(rmsSeconds, rateHz);
      return {
        memory: LOW_PASS,
        run({ count, rows }, memory, out) {
          for (let i = 0; i < count; i++) out[i] = Math.sqrt(lowPass(memory, LOW_PASS * rows[i], power[i], slow));
        },
      };
    },
  },

  /**
   * How far the first channel is from its usual value at the second one's, as a share: (y − c(x)) / max(c(x), floor), low-passed by
   * `seconds`. The curve c goes through the points (x0, y0) … in ascending x; y and x lag by `lagSeconds` and `xLagSeconds` before
   * they meet.
   */
  curve: {
    channels: [3, 3],
    tellsOf: () => 2,
    parameters: ['seconds', 'lagSeconds', 'xLagSeconds', 'floor', 'gate', 'gateSeconds', ...curvePoints],
    open(parameters, [y, x, turning], rateHz, stages) {
      const off = offCurve(stages, y, x, parameters, rateHz);
      const isOpen = opened(stages, turning, parameters, rateHz);
      const slow = passing(parameters['seconds'], rateHz);
      return {
        memory: 1,
        run({ count, rows }, memory, out) {
          for (let i = 0; i < count; i++) {
            const smooth = leaning(memory, rows[i], isOpen[i] === 1 ? off[i] : 0 * off[i], slow, 0);
            out[i] = isOpen[i] === 1 ? smooth : 0 * smooth;
          }
        },
      };
    },
  },

  /**
   * How much more the channels but the last vibrate than is usual at the last one's, the rotor's speed: ln(rms / usual rms), both over
   * `seconds`. The rms is of what is left above a high-pass of `highPassSeconds`, and lags by `lagSeconds` as the speed's reading does;
   * what is usual, c(speed), goes through the points (x0, y0) …
   */
  'vibration-curve': {
    channels: [2, 16],
    tellsOf: (channels) => channels - 1,
    parameters: ['seconds', 'highPassSeconds', 'lagSeconds', 'speedSeconds', 'gate', 'gateSeconds', ...curvePoints],
    open(parameters, columns, rateHz, stages) {
      const turning = columns[columns.length - 1];
      const power = shaking(stages, columns.slice(0, -1), parameters['highPassSeconds'], rateHz);
      const speed = smoothed(stages, turning, parameters['speedSeconds'], rateHz);
      const isOpen = opened(stages, turning, parameters, rateHz);
      const [lag, slow] = [parameters['lagSeconds'], parameters['seconds']].map((s) => passing(s, rateHz));
      const curve = openCurve(parameters);
      const size = LOW_PASS + 2;
      return {
        memory: size,
        run({ count, rows }, memory, out) {
          for (let i = 0; i < count; i++) {
            const own = size * rows[i];
            const now = lowPass(memory, own, power[i], lag);
            const usualNow = Math.max(onCurve(curve, speed[i]) ** 2, 1e-12);
            const usual = leaning(memory, own + LOW_PASS, usualNow, slow, usualNow);
            const smooth = leaning(memory, own + LOW_PASS + 1, isOpen[i] === 1 ? now : usual + 0 * now, slow, usual);
            out[i] = isOpen[i] === 1 ? 0.5 * Math.log(Math.max(1e-6, smooth / usual)) : 0 * smooth;
          }
        },
      };
    },
  },

  /**
   * How restless the first channel is: ln of its spread about its low-pass of `seconds`, as a share of max(that, `floor`), the mean over
   * `rmsSeconds`; a reading that stands still is at ln 0.005. `usual` is what is usual.
   */
  spread: {
    channels: [2, 2],
    tellsOf: () => 1,
    parameters: ['seconds', 'rmsSeconds', 'floor', 'usual', 'gate', 'gateSeconds'],
    open(parameters, [x, turning], rateHz, stages) {
      const level = smoothed(stages, x, parameters['seconds'], rateHz);
      const isOpen = opened(stages, turning, parameters, rateHz);
      const slow = passing(parameters['rmsSeconds'], rateHz);
      const floor = parameters['floor'];
      const usual = Math.exp(2 * parameters['usual']);
      return {
        memory: 1,
        run({ values, count, rows, offsets }, memory, out) {
          for (let i = 0; i < count; i++) {
            const share = ((values[offsets[i] + x] - level[i]) / Math.max(level[i], floor)) ** 2;
            const smooth = leaning(memory, rows[i], isOpen[i] === 1 ? share : 0 * share + usual, slow, usual);
            out[i] = 0.5 * Math.log(Math.max(2.5e-5, isOpen[i] === 1 ? smooth : 0 * smooth + usual));
          }
        },
      };
    },
  },

  /**
   * How much the first channel is above the second one, low-passed from `usual` on; while the second has no reading, which the firmware
   * tells as 0, the last value stands.
   */
  excess: {
    channels: [2, 2],
    parameters: ['seconds', 'usual'],
    open({ seconds, usual }, [x, y], rateHz) {
      const slow = passing(seconds, rateHz);
      return {
        memory: 1,
        run({ values, count, rows, offsets }, memory, out) {
          for (let i = 0; i < count; i++) {
            const row = rows[i];
            const above = values[offsets[i] + y];
            if (Number.isNaN(memory[row])) memory[row] = usual;
            out[i] = leaning(memory, row, above !== 0 ? values[offsets[i] + x] - above : memory[row], slow, usual);
          }
        },
      };
    },
  },
};

/** How far a channel is from the curve's value at another one's, as a share of that; both are low-passed. */
function offCurve(stages: Stages, y: number, x: number, parameters: Parameters, rateHz: number): Float64Array {
  const floor = parameters['floor'];
  const reading = smoothed(stages, y, parameters['lagSeconds'], rateHz);
  const abscissa = smoothed(stages, x, parameters['xLagSeconds'], rateHz);
  const points = curvePoints.map((name) => parameters[name]);
  return stages.of(`off ${y} ${x} ${parameters['lagSeconds']} ${parameters['xLagSeconds']} ${floor} ${points}`, () => {
    const curve = openCurve(parameters);
    return {
      memory: 0,
      run({ count }, _, out) {
        for (let i = 0; i < count; i++) {
          const usual = onCurve(curve, abscissa[i]);
          out[i] = (reading[i] - usual) / Math.max(usual, floor);
        }
      },
    };
  });
}

/** Writes the angle of each sample's quaternion, rad. @param into [count] */
type Angles = (samples: Samples, columns: readonly number[], into: Float64Array) => void;

function rolls({ values, count, offsets }: Samples, [x, y, z, w]: readonly number[], into: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const from = offsets[i];
    into[i] = roll(values[from + x], values[from + y], values[from + z], values[from + w]);
  }
}

function pitches({ values, count, offsets }: Samples, [x, y, z, w]: readonly number[], into: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const from = offsets[i];
    into[i] = pitch(values[from + x], values[from + y], values[from + z], values[from + w]);
  }
}

/** @param angles with its own loop: one that is asked a sample at a time would have its numbers made on the heap */
function attitude(angles: Angles): Operation {
  return {
    channels: [4, 4],
    parameters: ['seconds', 'usual'],
    open({ seconds, usual }, columns, rateHz) {
      const slow = passing(seconds, rateHz);
      return {
        memory: 1,
        run(samples, memory, out) {
          const { count, rows } = samples;
          angles(samples, columns, out);
          for (let i = 0; i < count; i++) out[i] = leaning(memory, rows[i], out[i], slow, usual);
        },
      };
    },
  };
}

/**
 * What is usual, in lines between the points and beyond them: of the i-th line, from 1, the reach (above, up to), and x, y of its first
 * point, height and width; before them the first x, and lines an x. All in one column: a loop reads that faster than an object or five.
 */
type Curve = Float64Array;
const LINE = 6;

function openCurve(parameters: Parameters): Curve {
  const [xs, ys] = ['x', 'y'].map((axis) => Array.from({ length: CURVE_POINTS }, (_, i) => parameters[`${axis}${i}`]));
  const last = CURVE_POINTS - 1;
  const curve = new Float64Array(LINE * CURVE_POINTS);
  curve[0] = xs[0];
  curve[1] = last / (xs[last] - xs[0]);
  for (let i = 1; i <= last; i++) {
    const above = i === 1 ? Number.NEGATIVE_INFINITY : xs[i - 1];
    const upTo = i === last ? Number.POSITIVE_INFINITY : xs[i];
    curve.set([above, upTo, xs[i - 1], ys[i - 1], ys[i] - ys[i - 1], xs[i] - xs[i - 1]], LINE * i);
  }
  return curve;
}

/** Points that were fitted are evenly spaced, and the first guess is right. */
function onCurve(curve: Curve, x: number): number {
  let at = LINE * Math.max(1, Math.min(CURVE_POINTS - 1, ((x - curve[0]) * curve[1] + 1) | 0));
  if (!(x > curve[at] && x <= curve[at + 1])) at = lineOf(curve, x) | 0;
  return curve[at + 3] + (curve[at + 4] * (x - curve[at + 2])) / curve[at + 5];
}

function lineOf(curve: Curve, x: number): number {
  let at = LINE;
  while (at < LINE * (CURVE_POINTS - 1) && x > curve[at + 1]) at += LINE;
  return at;
}
