import { scenario } from '../dsl.ts';

export default scenario({
  about: `One of the sixteen slots of T-001's encoder is blocked: it counts a rotor that seems slower than its generator says. Speed and
          voltage no longer belong together, and the alarm must say so within a minute.`,
  seed: 2,
  duration: '6m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [{ at: '1m', fault: 'encoder-dropout', on: 'T-001', severity: 0.6, for: '3m', id: 'slot' }],
  expect: [
    { that: 'alarm', on: 'T-001', after: 'slot', within: '60s' },
    { that: 'detectionDelay', of: 'slot', below: '60s' },
    { that: 'noAlarm', butOn: 'T-001' },
    { that: 'fault', of: 'slot', is: 'recovered', at: 'end' },
  ],
});
