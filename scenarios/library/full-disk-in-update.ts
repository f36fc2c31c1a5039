import { scenario } from '../dsl.ts';

export default scenario({
  about: `The disk of T-003 is full while a new model is rolled out. It keeps the old model and says why; the others go on to the new one, and
          nobody is left without a model.`,
  seed: 20,
  duration: '7m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '50s', fault: 'disk-full', on: 'T-003', for: '4m', id: 'full' },
    { at: '1m', deploy: 'windturbine-anomaly@1.1.0', id: 'new' },
  ],
  expect: [
    { that: 'model', on: { things: ['T-001', 'T-002', 'T-004', 'T-005'] }, is: 'windturbine-anomaly@1.1.0', at: 'end' },
    { that: 'model', on: 'T-003', is: 'windturbine-anomaly@1.0.0', at: 'end' },
    { that: 'state', on: 'every turbine', is: 'inferring', at: 'end' },
    { that: 'noAlarm' },
  ],
});
