import { scenario } from '../dsl.ts';

export default scenario({
  about: `A screw of T-004's mount comes loose: the nacelle shakes and leans. Two other turbines stand in the same wind on firm mounts, so
          the wind is no excuse.`,
  seed: 4,
  duration: '6m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [{ at: '1m', fault: 'loose-mount', on: 'T-004', severity: 0.6, over: '30s', id: 'screw' }],
  expect: [
    { that: 'alarm', on: 'T-004', after: 'screw', within: '90s' },
    { that: 'noAlarm', butOn: 'T-004' },
    { that: 'state', on: 'T-004', is: 'faulted.tripped', after: 'screw', within: '4m' },
  ],
});
