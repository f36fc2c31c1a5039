import { scenario } from '../dsl.ts';

export default scenario({
  about: `Three twins and a turbine on a serial line, in one farm. Its link is slow and loses messages for a while, which costs nothing; when
          its encoder loses a slot the same detector finds it as it would in a twin.`,
  seed: 17,
  duration: '9m',
  fleet: [
    { twins: 3, like: 'desk-turbine' },
    { serial: 'emulated', thing: 'T-200', tags: ['lab'] },
  ],
  wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
  timeline: [
    { at: '1m', fault: 'link-latency', on: { tag: 'lab' }, attributes: { latencyMs: 800, jitterMs: 400 }, for: '2m', id: 'noise' },
    { at: '1m', fault: 'link-loss', on: { tag: 'lab' }, attributes: { lossPercent: 20 }, for: '2m' },
    { at: '5m', fault: 'encoder-dropout', on: 'T-200', severity: 0.6, id: 'slot' },
  ],
  expect: [
    { that: 'alarm', on: 'T-200', after: 'slot', within: '90s' },
    { that: 'noAlarm', during: '0s..5m' },
    { that: 'noAlarm', butOn: 'T-200' },
    { that: 'lostMessages', is: 0 },
    { that: 'fault', of: 'noise', is: 'recovered', at: 'end' },
  ],
});
