import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Deployment } from '../../actors/contracts/deployments.ts';
import type { Scenario } from '../../scenarios/dsl.ts';
import type { StoryWorld } from '../../scenarios/stage.ts';
import { failuresIn, playHere } from '../kit/story.ts';

const limits = suite('what holds a rollout back, in a story of utility machines');

const NEW = 'nrel-5mw-anomaly@1.1.0';

const story = (change: Partial<Scenario>): Scenario => ({
  about: 'A model goes to machines that make megawatts.',
  seed: 11,
  duration: '12m',
  fleet: [{ twins: 4, like: 'nrel-5mw' }],
  models: [{ model: NEW, like: 'nrel-5mw-anomaly@1.0.0' }],
  timeline: [],
  expect: [],
  ...change,
});

/** What the cloud knows of each turbine at the moment in which a wave, or a part of one, begins; by its job. */
interface Opened {
  readonly at: number;
  readonly powerKw: ReadonlyMap<string, number>;
  readonly windMps: ReadonlyMap<string, number>;
}

async function play(told: Scenario) {
  const opened = new Map<string, Opened>();
  const listen = ({ stage, world }: StoryWorld) => {
    const now = (channel: string) => new Map(world.view.turbines().map(({ thing, channels }) => [thing, channels[channel]]));
    stage.events.onAppend(({ kind, at, what }) => {
      if (kind === 'rollout' && typeof what['job'] === 'string')
        opened.set(what['job'], { at, powerKw: now('powerKw'), windMps: now('windSpeedMps') });
    });
    return stage;
  };
  const played = await playHere(told, { stageOf: listen, look: ({ world }) => world.deployments.list() });
  const [deployment] = played.seen as readonly Deployment[];
  return { opened, deployment, played };
}

limits('a budget in kilowatts lets so many turbines update at once as make no more, and the others when those are done', async () => {
  const { opened, deployment, played } = await play(
    story({
      wind: { meanMps: 9, turbulenceIntensity: 0.08 },
      timeline: [{ at: '2m', deploy: NEW, budgetKw: 7_500, id: 'new' }],
      expect: [{ that: 'rollout', of: 'new', is: 'SUCCEEDED', within: '10m' }],
    }),
  );

  assert.equal(failuresIn(played), []);
  const parts = deployment.rollout!.waves.map(({ jobId, things }) => ({ things, ...opened.get(jobId!)! }));
  assert.ok(parts.length >= 2, 'four machines make more than 7.5 MW');
  for (const { things, powerKw } of parts) {
    const kw = things.reduce((sum, thing) => sum + powerKw.get(thing)!, 0);
    assert.ok(kw > 0 && kw <= 7_500, `${things} make ${kw} kW`);
  }
  const all = [...parts[0].powerKw.values()].reduce((sum, kw) => sum + kw, 0);
  assert.ok(all > 7_500, `all of them make ${all} kW`);
  const busy = new Set<string>();
  for (const { kind, what } of played.facts.events) {
    if (kind !== 'job' || typeof what['thing'] !== 'string') continue;
    if (what['status'] === 'IN_PROGRESS') busy.add(what['thing']);
    else busy.delete(what['thing']);
    assert.ok(busy.size <= Math.max(...parts.map(({ things }) => things.length)));
  }
});

limits('less than what one machine makes holds all of them back, and says which and how much', async () => {
  const { deployment, played } = await play(
    story({
      duration: '5m',
      wind: { meanMps: 9, turbulenceIntensity: 0.08 },
      timeline: [{ at: '2m', deploy: NEW, budgetKw: 500, id: 'new' }],
      expect: [{ that: 'model', on: 'every turbine', is: 'nrel-5mw-anomaly@1.0.0', at: 'end' }],
    }),
  );

  assert.equal(failuresIn(played), []);
  assert.is(deployment.status, 'IN_PROGRESS');
  assert.match(deployment.rollout!.reason, /wave 1 waits: T-00\d makes \d{4} kW, the budget is 500 kW/);
});

limits('a window that names a wind opens when the wind has gone down, and not before', async () => {
  const { opened, deployment, played } = await play(
    story({
      wind: { meanMps: 8, turbulenceIntensity: 0.05, events: [{ kind: 'ramp', at: '4m', over: '1m', toMps: 3 }] },
      timeline: [{ at: '1m', deploy: NEW, window: 'only below 4 m/s', id: 'new' }],
      expect: [{ that: 'rollout', of: 'new', is: 'SUCCEEDED', within: '10m' }],
    }),
  );

  assert.equal(failuresIn(played), []);
  const [{ at, windMps }] = [...opened.values()];
  const mean = [...windMps.values()].reduce((sum, wind) => sum + wind, 0) / windMps.size;
  assert.ok(at > 260_000 && mean < 4, `it opened at ${at} ms in ${mean} m/s`);
  assert.is(deployment.counts.SUCCEEDED, 4);
});

limits.run();
