import { scenario } from '../dsl.ts';

export default scenario({
  about: `The brushes of T-002's generator lose contact now and then, and more often as they wear. Each gap is short; the turbine must be
          found out all the same, within two minutes.`,
  seed: 8,
  duration: '8m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [{ at: '1m', fault: 'brush-wear', on: 'T-002', severity: 0.7, over: '1m', onset: 'wear', id: 'brushes' }],
  expect: [
    { that: 'alarm', on: 'T-002', after: 'brushes', within: '2m' },
    { that: 'noAlarm', butOn: 'T-002' },
  ],
});
