/**
 * The original's rule: its six features over its serving buffer of 501 samples, denoised and normalised with its shipped statistics; a feature is
 * anomalous when its mean absolute error over 100 samples exceeds the shipped threshold, and no two windows need agree.
 *
 * Its autoencoder's weights were never published. The shipped thresholds are of the size of the mean |z| of unit normals, not of a trained
 * reconstruction, so the stand-in that is fairest to them is a reconstruction by the training mean: the error is |z|. It is asked when
 * the model under test is, once a hop, where the original would have asked once a second.
 */
import type { Channel } from '../../../actors/contracts/channels.ts';
import { pitch, roll, yaw } from '../../../actors/signal/euler.ts';
import { createWavelet } from '../../../actors/signal/wavelet.ts';
import { originalSignal, originalThresholds } from '../original.ts';
import type { Control, ControlKind } from './detector.ts';

const QUATERNION = ['qx', 'qy', 'qz', 'qw'] as const;

/** Features in the original's order, with its shipped figures. */
export const originalStatistics = originalSignal.features.map(({ name, channels, parameters, mean, std }, f) => ({
  name,
  channels,
  rawStd: parameters['sigma'],
  mean,
  std,
  threshold: originalThresholds[f].mae,
}));

const BUFFER = 501;
/** Of the 502 denoised rows the last 110 yield one window, which ends ten rows before their end. */
const WINDOW = { from: 392, to: 492 } as const;

export const originalRule: ControlKind = {
  name: 'originalRule',
  about:
    'six features, denoised over 501 samples, against the shipped thresholds; the training mean stands in for its unpublished autoencoder',
  features: originalStatistics.map(({ name, channels }) => ({ name, channels })),
  persistence: 1,
  open: (channels, rows) => openOriginalRule(channels, rows),
};

/** Null for a machine without its channels. */
function openOriginalRule(channels: readonly Channel[], rows: number): Control | null {
  const columns = [...QUATERNION, 'wind_speed_rps', 'rps', 'voltage'].map((name) => channels.findIndex((channel) => channel.name === name));
  if (columns.some((column) => column < 0)) return null;
  const [qx, qy, qz, qw, wind, rps, voltage] = columns;
  const features = originalStatistics.length;
  const ring = new Float64Array(rows * features * BUFFER);
  const pushed = new Uint32Array(rows);
  const buffer = new Float64Array(BUFFER);
  const wavelet = createWavelet(BUFFER, WINDOW);

  return {
    push(row, values, offset) {
      const [x, y, z, w] = [values[offset + qx], values[offset + qy], values[offset + qz], values[offset + qw]];
      const at = row * features * BUFFER + (pushed[row]++ % BUFFER);
      ring[at] = roll(x, y, z, w);
      ring[at + BUFFER] = pitch(x, y, z, w);
      ring[at + 2 * BUFFER] = yaw(x, y, z, w);
      ring[at + 3 * BUFFER] = values[offset + wind];
      ring[at + 4 * BUFFER] = values[offset + rps];
      ring[at + 5 * BUFFER] = values[offset + voltage];
    },
    score(row) {
      if (pushed[row] < BUFFER) return { score: 0, worst: 0 }; // the original says nothing before its buffer is full
      let score = 0;
      let worst = 0;
      const oldest = pushed[row] % BUFFER;
      for (let f = 0; f < features; f++) {
        const from = (row * features + f) * BUFFER;
        buffer.set(ring.subarray(from + oldest, from + BUFFER), 0);
        buffer.set(ring.subarray(from, from + oldest), BUFFER - oldest);
        const { rawStd, mean, std, threshold } = originalStatistics[f];
        const clean = wavelet.denoise(buffer, 0, rawStd);
        let sum = 0;
        for (let i = WINDOW.from; i < WINDOW.to; i++) sum += Math.abs((clean[i] - mean) / std);
        const ratio = sum / (WINDOW.to - WINDOW.from) / threshold;
        if (ratio > score) {
          score = ratio;
          worst = f;
        }
      }
      return { score, worst };
    },
  };
}
