import { scenario } from '../dsl.ts';

export default scenario({
  about: `A good model goes to a farm in two waves. The gate sees that turbines with it are no worse than those without, and the rest follow; nobody
          is alarmed.`,
  seed: 23,
  duration: '25m',
  fleet: [{ twins: 24, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [{ at: '4m', deploy: 'windturbine-anomaly@1.1.0', waves: ['20%', '100%'], soak: '2m', id: 'good' }],
  expect: [
    { that: 'rollout', of: 'good', is: 'SUCCEEDED', within: '20m' },
    { that: 'job', of: 'good', is: 'SUCCEEDED', within: '20m' },
    { that: 'model', on: 'every turbine', is: 'windturbine-anomaly@1.1.0', at: 'end' },
    { that: 'falseAlarmsPerTurbineDay', below: 1 },
  ],
});
