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

export interface OpenOperation {
  /** Numbers of memory a row; NaN before the first sample. */
  readonly memory: number;
  /** @param at index of this row's memory. @returns the feature; NaN when a channel has no reading. */
  step(x: readonly number[], memory: Float64Array, at: number): number;
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
      return { memory: LOW_PASS, step: (x, memory, at) => lowPass(memory, at, x[0], slow) };
    },
  },
  /** Roll of the quaternion qx qy qz qw, rad, low-passed from `usual` on. */
  roll: attitude(roll),
  /** Pitch, likewise. */
  pitch: attitude(pitch),

  /** Vibration: the root mean square, over `rmsSeconds`, of what is left of the channels above a high-pass of `seconds`. */
  vibration: {
    channels: [1, 16],
    parameters: ['seconds', 'rmsSeconds'],
    open({ seconds, rmsSeconds }, channels, rateHz) {
      const power = highPassedPower(channels, passing(seconds, rateHz));
      const slow = passing(rmsSeconds, rateHz);
      return {
        memory: power.memory + LOW_PASS,
        step: (x, memory, at) => Math.sqrt(lowPass(memory, at + power.memory, power.step(x, memory, at), slow)),
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
      return {
        memory: 2 * LOW_PASS + 2,
        step(x, memory, at) {
          const usual = curve(lowPass(memory, at + LOW_PASS, x[1], xLag));
          const off = (lowPass(memory, at, x[0], lag) - usual) / Math.max(usual, floor);
          const opened = isOpen(x[2], memory, at + 2 * LOW_PASS);
          const smooth = leaning(memory, at + 2 * LOW_PASS + 1, opened ? off : 0 * off, slow, 0);
          return opened ? smooth : 0 * smooth;
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
      const power = highPassedPower(channels - 1, passing(parameters['highPassSeconds'], rateHz));
      const [lag, speedLag, slow] = [parameters['lagSeconds'], parameters['speedSeconds'], parameters['seconds']].map((s) =>
        passing(s, rateHz),
      );
      const curve = openCurve(parameters);
      const isOpen = openGate(parameters, rateHz);
      const [lagAt, speedAt, gateAt] = [power.memory, power.memory + LOW_PASS, power.memory + 2 * LOW_PASS];
      return {
        memory: gateAt + 3,
        step(x, memory, at) {
          const speed = x[channels - 1];
          const now = lowPass(memory, at + lagAt, power.step(x, memory, at), lag);
          const usualNow = Math.max(curve(lowPass(memory, at + speedAt, speed, speedLag)) ** 2, 1e-12);
          const opened = isOpen(speed, memory, at + gateAt);
          const usual = leaning(memory, at + gateAt + 1, usualNow, slow, usualNow);
          const smooth = leaning(memory, at + gateAt + 2, opened ? now : usual + 0 * now, slow, usual);
          return opened ? 0.5 * Math.log(Math.max(1e-6, smooth / usual)) : 0 * smooth;
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
      return {
        memory: LOW_PASS + 2,
        step(x, memory, at) {
          const level = lowPass(memory, at, x[0], fast);
          const share = ((x[0] - level) / Math.max(level, floor)) ** 2;
          const opened = isOpen(x[1], memory, at + LOW_PASS);
          const smooth = leaning(memory, at + LOW_PASS + 1, opened ? share : 0 * share + usual, slow, usual);
          return 0.5 * Math.log(Math.max(2.5e-5, opened ? smooth : 0 * smooth + usual));
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
        step: (x, memory, at) => leaning(memory, at, x[1] !== 0 ? x[0] - x[1] : Number.isNaN(memory[at]) ? usual : memory[at], slow, usual),
      };
    },
  },
};

function attitude(angle: (x: number, y: number, z: number, w: number) => number): Operation {
  return {
    channels: [4, 4],
    parameters: ['seconds', 'usual'],
    open({ seconds, usual }, _, rateHz) {
      const slow = passing(seconds, rateHz);
      return { memory: 1, step: (x, memory, at) => leaning(memory, at, angle(x[0], x[1], x[2], x[3]), slow, usual) };
    },
  };
}

/** Sum over the first channels of the squares of what is above a high-pass. */
function highPassedPower(channels: number, share: number) {
  return {
    memory: LOW_PASS * channels,
    step(x: readonly number[], memory: Float64Array, at: number): number {
      let power = 0;
      for (let c = 0; c < channels; c++) power += (x[c] - lowPass(memory, at + LOW_PASS * c, x[c], share)) ** 2;
      return power;
    },
  };
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
