import { scenario } from '../dsl.ts';

export default scenario({
  about: `Bytes of a new model's package are wrong in the store. Every device must refuse it with its reason, keep the model that it has, and
          go on judging: a bearing that wears meanwhile is found as on any other day.`,
  seed: 14,
  duration: '6m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '50s', fault: 'package-corrupt', on: 'new' },
    { at: '1m', deploy: 'windturbine-anomaly@1.1.0', id: 'new' },
    { at: '1m10s', fault: 'bearing-wear', on: 'T-002', severity: 0.6, id: 'wear' },
  ],
  expect: [
    { that: 'job', of: 'new', is: 'FAILED', within: '4m' },
    { that: 'model', on: 'every turbine', is: 'windturbine-anomaly@1.0.0', at: 'end' },
    { that: 'exposure', of: 'new', is: 0 },
    { that: 'alarm', on: 'T-002', after: 'wear', within: '60s' },
    { that: 'noAlarm', butOn: 'T-002' },
  ],
});
