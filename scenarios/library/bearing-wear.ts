import { scenario } from '../dsl.ts';

export default scenario({
  about: `A bearing of T-002 wears. The turbine must say so within a minute and trip; once the bearing is mended and an operator has reset
          it, it must be judged healthy again. Nobody else may raise an alarm.`,
  seed: 7,
  duration: '8m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '1m', fault: 'bearing-wear', on: 'T-002', severity: 0.6, id: 'wear' },
    { at: '4m', clear: 'bearing-wear', on: 'T-002' },
    { at: '4m30s', command: 'reset', on: 'T-002', id: 'mended' },
  ],
  expect: [
    { that: 'alarm', on: 'T-002', after: 'wear', within: '60s' },
    { that: 'state', on: 'T-002', is: 'faulted.tripped', after: 'wear', within: '2m' },
    { that: 'state', on: 'T-002', is: 'inferring.healthy', after: 'mended', within: '60s' },
    { that: 'noAlarm', butOn: 'T-002' },
    { that: 'state', on: 'every turbine', is: 'inferring.healthy', at: 'end' },
  ],
});
