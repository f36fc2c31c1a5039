import { scenario } from '../dsl.ts';

export default scenario({
  about: `The errors of a new model grow by a fifth each minute. It passes its device canary and looks well for a while; the gate waits until it can
          tell a drift from the wind, and halts before it is everywhere.`,
  seed: 23,
  duration: '18m',
  fleet: [{ twins: 20, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '110s', fault: 'model-drifting', on: 'new' },
    { at: '2m', deploy: 'windturbine-anomaly@1.1.0', waves: ['20%', '100%'], soak: '2m', id: 'new' },
  ],
  expect: [
    { that: 'rollout', of: 'new', is: 'HALTED', within: '14m' },
    { that: 'exposure', of: 'new', below: 60 },
  ],
});
