import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Expectation, type Scenario, scenario } from '../../scenarios/dsl.ts';
import { playHere } from '../kit/story.ts';

const story = suite('story');

const quiet = (expect: readonly Expectation[], timeline: Scenario['timeline'] = []): Scenario =>
  scenario({
    about: 'two quiet minutes',
    seed: 1,
    duration: '2m',
    fleet: [{ twins: 2, like: 'desk-turbine' }],
    wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
    timeline,
    expect,
  });

const play = (told: Scenario) => playHere(told);

const wrong: readonly Expectation[] = [
  { that: 'alarm', on: 'T-001', within: '2m' },
  { that: 'state', on: 'T-002', is: 'faulted.tripped', within: '2m' },
  { that: 'state', on: 'every turbine', is: 'idle', at: 'end' },
  { that: 'model', on: 'every turbine', is: 'windturbine-anomaly@1.1.0', at: 'end' },
];
for (const expectation of wrong) {
  story(`an expectation that does not come true fails: ${expectation.that}`, async () => {
    const { passed, failures } = await play(quiet([expectation]));
    assert.is(passed, false);
    assert.ok(failures.every(({ wanted, got }) => wanted !== '' && got !== '' && wanted !== got));
    assert.ok(failures[0].nearby.length > 0);
  });
}

story('an alarm that nobody expected fails, and the one that was does not', async () => {
  const broken: Scenario['timeline'] = [{ at: '30s', fault: 'loose-mount', on: 'T-001', severity: 0.8, id: 'loose' }];
  const { failures } = await play(
    quiet(
      [
        { that: 'noAlarm', butOn: 'T-001' },
        { that: 'alarm', on: 'T-001', after: 'loose', within: '60s' },
      ],
      broken,
    ),
  );
  assert.equal(failures, []);
  const unexpected = await play(quiet([{ that: 'noAlarm' }], broken));
  assert.equal(
    unexpected.failures.map(({ wanted }) => wanted),
    ['no alarm of T-001 from 0s to 2m'],
  );
});

story('a job that has not ended in time fails', async () => {
  const deploying: Scenario['timeline'] = [{ at: '30s', deploy: 'windturbine-anomaly@1.1.0', id: 'new' }];
  const { failures } = await play(
    quiet(
      [
        { that: 'job', of: 'new', is: 'SUCCEEDED', within: '2s' },
        { that: 'job', of: 'new', is: 'SUCCEEDED', within: '80s' },
      ],
      deploying,
    ),
  );
  assert.is(failures.length, 1);
  assert.match(failures[0].got, 'T-001 IN_PROGRESS');
});

story.run();
