/** The controls that every evaluation runs: chance, a constant, a range check, and the original's rule. */
import type { Channel } from '../../../actors/contracts/channels.ts';
import type { Rng } from '../../../actors/contracts/rng.ts';
import type { Control, ControlKind, NamedFeature } from './detector.ts';
import { originalRule } from './original-rule.ts';

/** @param chance the seed's own */
export const controlsOf = (channels: readonly Channel[], features: readonly NamedFeature[], chance: Rng): readonly ControlKind[] => [
  originalRule,
  randomScore(features, chance),
  constantScore(features),
  rangeCheck(channels),
];

/** Evenly within 0..2, so that every second window is called anomalous; names a feature by chance. */
const randomScore = (features: readonly NamedFeature[], chance: Rng): ControlKind => ({
  name: 'random',
  about: 'a score drawn evenly from 0..2, and a feature by chance',
  features,
  open(_channels, rows, _samples, label) {
    const streams = Array.from({ length: rows }, (_, row) => chance.fork(`${label} ${row}`));
    const asked = new Uint32Array(rows);
    return {
      push: () => {},
      score(row) {
        const n = 2 * asked[row]++;
        return { score: 2 * streams[row].uniform(n), worst: Math.floor(features.length * streams[row].uniform(n + 1)) };
      },
    };
  },
});

const constantScore = (features: readonly NamedFeature[]): ControlKind => ({
  name: 'constant',
  about: 'a score of 1, whatever the window holds: never above its threshold',
  features,
  open: () => ({ push: () => {}, score: () => ({ score: 1, worst: 0 }) }),
});

/** 0 while every reading of the window lies in its channel's range; else 1 and how far it left it, in widths of the range. */
const rangeCheck = (channels: readonly Channel[]): ControlKind => {
  const checked = channels.flatMap(({ name, range }, column) => (range ? [{ name, range, column }] : []));
  return {
    name: 'rangeCheck',
    about: 'whether a reading leaves its channel’s declared range; beyond it, how far',
    features: checked.map(({ name }) => ({ name, channels: [name] })),
    open: (_channels, rows, samples) => rangeControl(checked, rows, samples),
  };
};

interface CheckedChannel {
  readonly column: number;
  readonly range: readonly [number, number];
}

function rangeControl(checked: readonly CheckedChannel[], rows: number, samples: number): Control {
  const excess = new Float32Array(rows * samples).fill(-1); // a ring a row; −1: within every range
  const worst = new Uint8Array(rows * samples);
  const pushed = new Uint32Array(rows);
  return {
    push(row, values, offset) {
      const at = row * samples + (pushed[row]++ % samples);
      excess[at] = -1;
      for (let k = 0; k < checked.length; k++) {
        const { column, range } = checked[k];
        const value = values[offset + column];
        const beyond = Math.max(range[0] - value, value - range[1]) / (range[1] - range[0]);
        if (beyond > 0 && beyond > excess[at]) {
          excess[at] = beyond;
          worst[at] = k;
        }
      }
    },
    score(row) {
      let best = row * samples;
      for (let i = best + 1; i < (row + 1) * samples; i++) if (excess[i] > excess[best]) best = i;
      return excess[best] > 0 ? { score: 1 + excess[best], worst: worst[best] } : { score: 0, worst: 0 };
    },
  };
}
