import { scenario } from '../dsl.ts';

export default scenario({
  about: `The broker restarts again and again while a new model is rolled out. Connections are cut, sessions are gone; no message of QoS 1
          may be lost, and every device must end on the new model.`,
  seed: 12,
  duration: '10m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { every: '30s', from: '1m', until: '4m', fault: 'broker-restart', for: '3s', id: 'storm' },
    { at: '1m20s', deploy: 'windturbine-anomaly@1.1.0', id: 'new' },
  ],
  expect: [
    { that: 'lostMessages', is: 0 },
    { that: 'job', of: 'new', is: 'SUCCEEDED', within: '8m' },
    { that: 'model', on: 'every turbine', is: 'windturbine-anomaly@1.1.0', at: 'end' },
    { that: 'noAlarm' },
  ],
});
