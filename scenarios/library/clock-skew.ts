import { scenario } from '../dsl.ts';

export default scenario({
  about: `The clock of T-003 is half a minute ahead and runs away, and then jumps back. Its turbine is as well as the others: a wrong clock
          may cost order in the documents, never a message, an alarm or the judgement.`,
  seed: 13,
  duration: '8m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '1m', fault: 'clock-skew', on: 'T-003', attributes: { skewMs: 30000, driftPpm: 500 }, for: '4m', id: 'skew' },
    { at: '3m', fault: 'clock-jump', on: 'T-003', attributes: { jumpMs: -20000 }, for: '3m' },
  ],
  expect: [
    { that: 'noAlarm' },
    { that: 'lostMessages', is: 0 },
    { that: 'state', on: 'every turbine', is: 'inferring.healthy', at: 'end' },
    { that: 'fault', of: 'skew', is: 'recovered', at: 'end' },
  ],
});
