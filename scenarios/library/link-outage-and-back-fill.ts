import { scenario } from '../dsl.ts';

export default scenario({
  about: `T-002 is cut off for three minutes, and in that time its generator fails. The device goes on judging alone; when the link is back
          the cloud hears of it, and of everything else that was said meanwhile: not a verdict or a state is missing.`,
  seed: 9,
  duration: '9m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '2m', fault: 'link-partition', on: 'T-002', for: '3m', id: 'outage' },
    { at: '3m', fault: 'generator-winding', on: 'T-002', severity: 0.6, id: 'short' },
  ],
  expect: [
    { that: 'alarm', on: 'T-002', after: 'short', within: '3m' },
    { that: 'noAlarm', butOn: 'T-002' },
    { that: 'fault', of: 'outage', is: 'recovered', within: '5m30s' },
    { that: 'lostMessages', is: 0 },
    { that: 'duplicatedMessages', is: 0 },
  ],
});
