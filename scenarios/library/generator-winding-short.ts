import { scenario } from '../dsl.ts';

export default scenario({
  about: `Turns of T-005's generator are shorted: at the same speed it gives less voltage, with a ripple. Nothing is out of range: only a
          detector that knows which voltage belongs to which speed can tell.`,
  seed: 6,
  duration: '6m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [{ at: '1m', fault: 'generator-winding', on: 'T-005', severity: 0.8, id: 'short' }],
  expect: [
    { that: 'alarm', on: 'T-005', after: 'short', within: '90s' },
    { that: 'noAlarm', butOn: 'T-005' },
    { that: 'falseAlarmsPerTurbineDay', below: 1 },
  ],
});
