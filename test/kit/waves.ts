/** Windows that can be learned from, without a farm: sines with noise, each window of its own phase. */
import type { Prepared } from '../../cloud/studio/prepare.ts';
import { createRng } from '../../twins/rng.ts';

export function waves({ windows = 90, heldOut = 30, features = 2, samples = 20, seed = 77 } = {}): Prepared {
  const rng = createRng(seed);
  const make = (count: number, label: string) => {
    const noise = rng.fork(label);
    const phases = noise.fork('phase');
    const values = new Float32Array(count * features * samples);
    for (let i = 0; i < values.length; i++) {
      const phase = 7 * phases.uniform(Math.floor(i / (features * samples)));
      const f = Math.floor(i / samples) % features;
      values[i] = 1.3 * Math.sin((i % samples) * 0.3 * (f + 1) + phase) + 0.1 * noise.normal(i);
    }
    return values;
  };
  const names = Array.from({ length: features }, (_, f) => `f${f}`);
  return {
    machine: 'desk-turbine',
    source: 'waves',
    signal: {
      pipeline: 'stream',
      rateHz: 20,
      window: { samples, hop: samples, settle: 0 },
      features: names.map((name) => ({ name, op: 'value', channels: [name], parameters: {}, mean: 0, std: 1 })),
    },
    training: make(windows, 'training'),
    heldOut: make(heldOut, 'held out'),
  };
}
