import { scenario } from '../dsl.ts';

export default scenario({
  about: `A front comes through: the wind rises by half within half a minute, gusts, and falls again. All turbines feel it at once, and
          that is weather, not a fault: nobody may raise an alarm, and everybody is judged healthy when it has passed.`,
  seed: 3,
  duration: '12m',
  fleet: [{ twins: 5, like: 'desk-turbine' }],
  wind: {
    meanMps: 1.5,
    turbulenceIntensity: 0.18,
    events: [
      { kind: 'ramp', at: '3m', over: '30s', toMps: 2.2 },
      { kind: 'gust', at: '5m' },
      { kind: 'ramp', at: '8m', over: '1m', toMps: 1.4 },
    ],
  },
  timeline: [],
  expect: [
    { that: 'noAlarm' },
    { that: 'state', on: 'every turbine', is: 'faulted', never: true },
    { that: 'state', on: 'every turbine', is: 'inferring.healthy', at: 'end' },
  ],
});
