import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Scenario } from '../../scenarios/dsl.ts';
import { stories } from '../../scenarios/library.ts';
import { printStory } from '../../scenarios/words/yaml.ts';
import { removeFolder, runCli, scratchFolder } from '../kit/farm-process.ts';
import { playHere } from '../kit/story.ts';

const digests = suite('digests');

const small: Scenario = { ...stories['update-under-way'], duration: '3m', fleet: [{ twins: 4, like: 'desk-turbine' }], expect: [] };

digests('the same story and seed have one digest; a bit of the seed changes it', async () => {
  const { digest } = await playHere(small, { seed: 4 });
  for (let again = 0; again < 2; again++) assert.is((await playHere(small, { seed: 4 })).digest, digest);
  assert.is.not((await playHere(small, { seed: 5 })).digest, digest);
});

digests('another process, paced and watched, has the same digest', async () => {
  const minute: Scenario = { ...small, duration: '1m', timeline: [{ at: '30s', fault: 'link-loss', on: 'T-002' }] };
  const folder = scratchFolder();
  const file = join(folder, 'minute.yaml');
  writeFileSync(file, printStory({ ...minute, expect: [{ that: 'noAlarm' }] }));

  const { code, out } = await runCli(['scenario', 'run', file, '--speed', '100x']);

  assert.is(code, 0, out);
  assert.match(out, /console +http:\/\/127\.0\.0\.1:\d+/);
  assert.is(/digest: ([0-9a-f]{64})/.exec(out)?.[1], (await playHere(minute)).digest);
  removeFolder(folder);
});

digests('one more turbine changes no event of the others', async () => {
  const three: Scenario = { ...small, timeline: [{ at: '1m', fault: 'encoder-dropout', on: 'T-002', severity: 0.6 }] };
  const of = async (twins: number) => {
    const { facts } = await playHere({ ...three, fleet: [{ twins, like: 'desk-turbine' }] });
    return facts.events.filter(({ of: thing }) => thing === 'T-001' || thing === 'T-002');
  };
  assert.equal(await of(5), await of(2));
});

digests.run();
