import { scenario } from '../dsl.ts';

export default scenario({
  about: `T-002 loses its power in the middle of a download and boots twenty seconds later. It goes on from the bytes that it has; the update
          is neither lost nor applied twice, and the turbine has a model that serves at every moment it runs.`,
  seed: 15,
  duration: '8m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '55s', fault: 'power-cut', on: 'T-002', attributes: { stage: 'downloading' }, for: '20s', id: 'cut' },
    { at: '1m', deploy: 'windturbine-anomaly@1.1.0', id: 'new' },
  ],
  expect: [
    { that: 'job', of: 'new', is: 'SUCCEEDED', within: '6m' },
    { that: 'model', on: 'every turbine', is: 'windturbine-anomaly@1.1.0', at: 'end' },
    { that: 'fault', of: 'cut', is: 'recovered', at: 'end' },
    { that: 'noAlarm' },
  ],
});
