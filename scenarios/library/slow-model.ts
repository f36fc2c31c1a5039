import { scenario } from '../dsl.ts';

export default scenario({
  about: `A new model is right, and two seconds late. Its jobs report success; the gate compares how long turbines take to judge, halts the rollout
          and sends the canary wave back.`,
  seed: 23,
  duration: '8m',
  fleet: [{ twins: 20, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '110s', fault: 'model-slow', on: 'new' },
    { at: '2m', deploy: 'windturbine-anomaly@1.1.0', waves: ['20%', '100%'], soak: '2m', id: 'new' },
  ],
  expect: [
    { that: 'rollout', of: 'new', is: 'HALTED', within: '3m' },
    { that: 'exposure', of: 'new', below: 8 },
    { that: 'model', on: 'every turbine', is: 'windturbine-anomaly@1.0.0', at: 'end' },
  ],
});
