import { scenario } from '../dsl.ts';

export default scenario({
  about: `A new model finds every healthy window anomalous. It is well signed and answers its golden samples; the device canary, in which both
          models judge the same windows, must keep it from every turbine.`,
  seed: 19,
  duration: '6m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '50s', fault: 'model-trigger-happy', on: 'new', severity: 1 },
    { at: '1m', deploy: 'windturbine-anomaly@1.1.0', id: 'new' },
  ],
  expect: [{ that: 'job', of: 'new', is: 'FAILED', within: '4m' }, { that: 'exposure', of: 'new', is: 0 }, { that: 'noAlarm' }],
});
