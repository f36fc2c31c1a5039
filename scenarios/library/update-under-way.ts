import { scenario } from '../dsl.ts';

export default scenario({
  about: `A new model is rolled out while an encoder of T-004 drops out: the old model keeps watch until the new one has proved itself, the
          alarm comes in time whichever of them judges, and the other turbines end on the new model.`,
  seed: 11,
  duration: '6m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '1m', deploy: 'windturbine-anomaly@1.1.0', id: 'new' },
    { at: '1m1s', fault: 'encoder-dropout', on: 'T-004', severity: 0.6, id: 'dropout' },
  ],
  expect: [
    { that: 'alarm', on: 'T-004', after: 'dropout', within: '2m' },
    { that: 'noAlarm', butOn: 'T-004' },
    { that: 'model', on: { things: ['T-001', 'T-002', 'T-003', 'T-005'] }, is: 'windturbine-anomaly@1.1.0', at: 'end' },
  ],
});
