import { scenario } from '../dsl.ts';

export default scenario({
  about: `Each of seven turbines loses its power at another stage of the same update. Whatever the stage, the device boots into the old model
          or the new one, and ends on the new one.`,
  seed: 16,
  duration: '12m',
  fleet: [{ twins: 7, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '55s', fault: 'power-cut', on: 'T-001', attributes: { stage: 'downloading' }, for: '10s' },
    { at: '55s', fault: 'power-cut', on: 'T-002', attributes: { stage: 'verifying' }, for: '10s' },
    { at: '55s', fault: 'power-cut', on: 'T-003', attributes: { stage: 'unpacking' }, for: '10s' },
    { at: '55s', fault: 'power-cut', on: 'T-004', attributes: { stage: 'loading' }, for: '10s' },
    { at: '55s', fault: 'power-cut', on: 'T-005', attributes: { stage: 'canary' }, for: '10s' },
    { at: '55s', fault: 'power-cut', on: 'T-006', attributes: { stage: 'committing' }, for: '10s' },
    { at: '55s', fault: 'power-cut', on: 'T-007', attributes: { stage: 'reporting' }, for: '10s' },
    { at: '1m', deploy: 'windturbine-anomaly@1.1.0', id: 'new' },
  ],
  expect: [
    { that: 'job', of: 'new', is: 'SUCCEEDED', within: '10m' },
    { that: 'model', on: 'every turbine', is: 'windturbine-anomaly@1.1.0', at: 'end' },
    { that: 'state', on: 'every turbine', is: 'inferring', at: 'end' },
  ],
});
