import { scenario } from '../dsl.ts';

export default scenario({
  about: `A new model finds healthy windows anomalous. It is well signed and answers its golden samples. Some turbines refuse it in their device
          canary, in which both models judge the same windows; what gets past that is halted by the rollout's gate, and goes back.`,
  seed: 19,
  duration: '8m',
  fleet: [{ twins: 12, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '110s', fault: 'model-trigger-happy', on: 'new' },
    { at: '2m', deploy: 'windturbine-anomaly@1.1.0', waves: ['25%', '100%'], soak: '2m', id: 'new' },
  ],
  expect: [
    { that: 'rollout', of: 'new', is: 'HALTED', within: '6m' },
    { that: 'exposure', of: 'new', below: 18 },
    { that: 'model', on: 'every turbine', is: 'windturbine-anomaly@1.0.0', at: 'end' },
  ],
});
