import { scenario } from '../dsl.ts';

export default scenario({
  about: `A new model answers NaN for windows with a large value in them, and well for its golden samples. On twins with known faults it does not
          answer: no real turbine takes it.`,
  seed: 23,
  duration: '5m',
  fleet: [{ twins: 20, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '110s', fault: 'model-nan', on: 'new' },
    { at: '2m', deploy: 'windturbine-anomaly@1.1.0', waves: ['20%', '100%'], soak: '2m', id: 'new' },
  ],
  expect: [
    { that: 'rollout', of: 'new', is: 'HALTED', within: '2m' },
    { that: 'exposure', of: 'new', is: 0 },
    { that: 'model', on: 'every turbine', is: 'windturbine-anomaly@1.0.0', at: 'end' },
  ],
});
