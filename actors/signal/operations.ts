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
import type { OperationShape } from './resolve.ts';
import { leaning, LOW_PASS, lowPass, passing } from './low-pass.ts';

export type Parameters = Readonly<Record<string, number>>;

export interface Operation extends OperationShape {
  /** How many of its channels, from the first on, the feature tells of; the others only gate it, or say what is usual. Absent: all of them. */
  readonly tellsOf?: (channels: number) => number;
  open(parameters: Parameters, channels: number, rateHz: number): OpenOperation;
}

/** One sample of each of some rows: the i-th is of `rows[i]`, and its channels are in `values` from `offsets[i]` on. */
export interface Samples {
  values: Float64Array;
  count: number;
  readonly rows: Int32Array;
  readonly offsets: Int32Array;
}

export interface OpenOperation {
  /** Numbers of memory a row; NaN before the first sample. */
  readonly memory: number;
  /**
   * The feature of each sample; NaN when a channel has no reading. The loop over rows is in here so that it is compiled as one piece.
   * @param columns of its channels. @param at index of the first row's memory. @param out [count]
   */
  run(samples: Samples, columns: readonly number[], memory: Float64Array, at: number, out: Float64Array): void;
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
    open({ seconds }, _, rateHz) {
      const slow = passing(seconds, rateHz);
      return {
        memory: LOW_PASS,
        run({ values, count, rows, offsets }, [x], memory, at, out) {
          for (let i = 0; i < count; i++) out[i] = lowPass(memory, at + LOW_PASS * rows[i], values[offsets[i] + x], slow);
        },
      };
    },
  },
  /** Roll of the quaternion qx qy qz qw, rad, low-passed from `usual` on. */
  roll: attitude(rolls),
  /** Pitch, likewise. */
  pitch: attitude(pitches),

  /** Vibration: the root mean square, over `rmsSeconds`, of what is left of the channels above a high-pass of `seconds`. */
  vibration: {
    channels: [1, 16],
    parameters: ['seconds', 'rmsSeconds'],
    open({ seconds, rmsSeconds }, channels, rateHz) {
      const [fast, slow] = [passing(seconds, rateHz), passing(rmsSeconds, rateHz)];
      const size = LOW_PASS * (channels + 1);
      return {
        memory: size,
        run({ values, count, rows, offsets }, columns, memory, at, out) {
          for (let i = 0; i < count; i++) {
            const own = at + size * rows[i];
            const power = highPassedPower(values, offsets[i], columns, channels, memory, own, fast);
            out[i] = Math.sqrt(lowPass(memory, own + LOW_PASS * channels, power, slow));
          }
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
    open(parameters, _, rateHz) {
      const [lag, xLag, slow] = [parameters['lagSeconds'], parameters['xLagSeconds'], parameters['seconds']].map((s) => passing(s, rateHz));
      const curve = openCurve(parameters);
      const isOpen = openGate(parameters, rateHz);
      const floor = parameters['floor'];
      const size = 2 * LOW_PASS + 2;
      return {
        memory: size,
        run({ values, count, rows, offsets }, [y, x, turning], memory, at, out) {
          for (let i = 0; i < count; i++) {
            const own = at + size * rows[i];
            const from = offsets[i];
            const usual = curve(lowPass(memory, own + LOW_PASS, values[from + x], xLag));
            const off = (lowPass(memory, own, values[from + y], lag) - usual) / Math.max(usual, floor);
            const opened = isOpen(values[from + turning], memory, own + 2 * LOW_PASS);
            const smooth = leaning(memory, own + 2 * LOW_PASS + 1, opened ? off : 0 * off, slow, 0);
            out[i] = opened ? smooth : 0 * smooth;
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
    open(parameters, channels, rateHz) {
      const fast = passing(parameters['highPassSeconds'], rateHz);
      const [lag, speedLag, slow] = [parameters['lagSeconds'], parameters['speedSeconds'], parameters['seconds']].map((s) =>
        passing(s, rateHz),
      );
      const curve = openCurve(parameters);
      const isOpen = openGate(parameters, rateHz);
      const shaking = channels - 1;
      const [lagAt, speedAt, gateAt] = [LOW_PASS * shaking, LOW_PASS * (shaking + 1), LOW_PASS * (shaking + 2)];
      const size = gateAt + 3;
      return {
        memory: size,
        run({ values, count, rows, offsets }, columns, memory, at, out) {
          for (let i = 0; i < count; i++) {
            const own = at + size * rows[i];
            const speed = values[offsets[i] + columns[shaking]];
            const power = highPassedPower(values, offsets[i], columns, shaking, memory, own, fast);
            const now = lowPass(memory, own + lagAt, power, lag);
            const usualNow = Math.max(curve(lowPass(memory, own + speedAt, speed, speedLag)) ** 2, 1e-12);
            const opened = isOpen(speed, memory, own + gateAt);
            const usual = leaning(memory, own + gateAt + 1, usualNow, slow, usualNow);
            const smooth = leaning(memory, own + gateAt + 2, opened ? now : usual + 0 * now, slow, usual);
            out[i] = opened ? 0.5 * Math.log(Math.max(1e-6, smooth / usual)) : 0 * smooth;
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
    open(parameters, _, rateHz) {
      const [fast, slow] = [parameters['seconds'], parameters['rmsSeconds']].map((s) => passing(s, rateHz));
      const isOpen = openGate(parameters, rateHz);
      const floor = parameters['floor'];
      const usual = Math.exp(2 * parameters['usual']);
      const size = LOW_PASS + 2;
      return {
        memory: size,
        run({ values, count, rows, offsets }, [x, turning], memory, at, out) {
          for (let i = 0; i < count; i++) {
            const own = at + size * rows[i];
            const reading = values[offsets[i] + x];
            const level = lowPass(memory, own, reading, fast);
            const share = ((reading - level) / Math.max(level, floor)) ** 2;
            const opened = isOpen(values[offsets[i] + turning], memory, own + LOW_PASS);
            const smooth = leaning(memory, own + LOW_PASS + 1, opened ? share : 0 * share + usual, slow, usual);
            out[i] = 0.5 * Math.log(Math.max(2.5e-5, opened ? smooth : 0 * smooth + usual));
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
    open({ seconds, usual }, _, rateHz) {
      const slow = passing(seconds, rateHz);
      return {
        memory: 1,
        run({ values, count, rows, offsets }, [x, y], memory, at, out) {
          for (let i = 0; i < count; i++) {
            const own = at + rows[i];
            const above = values[offsets[i] + y];
            const old = Number.isNaN(memory[own]) ? usual : memory[own];
            out[i] = leaning(memory, own, above !== 0 ? values[offsets[i] + x] - above : old, slow, usual);
          }
        },
      };
    },
  },
};

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
    open({ seconds, usual }, _, rateHz) {
      const slow = passing(seconds, rateHz);
      return {
        memory: 1,
        run(samples, columns, memory, at, out) {
          const { count, rows } = samples;
          angles(samples, columns, out);
          for (let i = 0; i < count; i++) out[i] = leaning(memory, at + rows[i], out[i], slow, usual);
        },
      };
    },
  };
}

/** Sum over the first `channels` columns of the squares of what is above a high-pass; a low-pass of memory for each from `at` on. */
function highPassedPower(
  values: Float64Array,
  from: number,
  columns: readonly number[],
  channels: number,
  memory: Float64Array,
  at: number,
  share: number,
): number {
  let power = 0;
  for (let c = 0; c < channels; c++) {
    const reading = values[from + columns[c]];
    power += (reading - lowPass(memory, at + LOW_PASS * c, reading, share)) ** 2;
  }
  return power;
}

/** Whether a reading has been above `gate` for `gateSeconds`. One number of memory: for how many samples it has. */
function openGate({ gate, gateSeconds }: Parameters, rateHz: number) {
  const wanted = Math.max(1, Math.round(gateSeconds * rateHz));
  return (reading: number, memory: Float64Array, at: number): boolean => {
    memory[at] = reading > gate ? Math.min(wanted, (Number.isNaN(memory[at]) ? 0 : memory[at]) + 1) : 0;
    return memory[at] === wanted;
  };
}

function openCurve(parameters: Parameters): (x: number) => number {
  const xs = Float64Array.from({ length: CURVE_POINTS }, (_, i) => parameters[`x${i}`]);
  const ys = Float64Array.from({ length: CURVE_POINTS }, (_, i) => parameters[`y${i}`]);
  const wide = xs.map((x, i) => (i === 0 ? 0 : x - xs[i - 1]));
  const high = ys.map((y, i) => (i === 0 ? 0 : y - ys[i - 1]));
  const last = CURVE_POINTS - 1;
  return (x) => {
    let i = 1;
    while (i < last && x > xs[i]) i++;
    return ys[i - 1] + (high[i] * (x - xs[i - 1])) / wide[i];
  };
}
