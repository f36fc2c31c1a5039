import { scenario } from '../dsl.ts';

export default scenario({
  about: `Ice grows on the blades of T-003 over five minutes. Its rotor yields less than the wind promises: the alarm must come before the
          ice is ten minutes old, and only from the turbine that has it. Once it has thawed and an operator has reset it, it is well again.`,
  seed: 5,
  duration: '16m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '1m', fault: 'icing', on: 'T-003', severity: 0.9, over: '5m', id: 'ice' },
    { at: '12m', clear: 'ice' },
    { at: '12m30s', command: 'reset', on: 'T-003', id: 'thawed' },
  ],
  expect: [
    { that: 'alarm', on: 'T-003', after: 'ice', within: '10m' },
    { that: 'noAlarm', butOn: 'T-003' },
    { that: 'state', on: 'T-003', is: 'inferring.healthy', after: 'thawed', within: '2m' },
    { that: 'fault', of: 'ice', is: 'recovered', at: 'end' },
  ],
});
