import { scenario } from '../dsl.ts';

export default scenario({
  about: 'Half an hour of the default farm in which nothing breaks: no alarm is raised, and every turbine is judged healthy to the end.',
  seed: 1,
  duration: '30m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [],
  expect: [{ that: 'noAlarm' }, { that: 'state', on: 'every turbine', is: 'inferring.healthy', at: 'end' }],
});
