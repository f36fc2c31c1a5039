import { scenario } from '../dsl.ts';

export default scenario({
  about: `Two turbines no longer agree with the wind. The anemometer of T-001 drifts, and the blades of T-004 are iced. Both raise an alarm;
          what they name tells them apart: the drift moves wind against speed and voltage, the ice nothing but the yield.`,
  seed: 18,
  duration: '12m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '1m', fault: 'anemometer-drift', on: 'T-001', severity: 0.8, over: '1m', id: 'drift' },
    { at: '1m', fault: 'icing', on: 'T-004', severity: 1, over: '1m', id: 'ice' },
  ],
  expect: [
    { that: 'alarm', on: 'T-001', after: 'drift', within: '8m' },
    { that: 'alarm', on: 'T-004', after: 'ice', within: '8m' },
    { that: 'noAlarm', butOn: { things: ['T-001', 'T-004'] } },
  ],
});
