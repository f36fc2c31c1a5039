import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BODIES, type Capabilities } from '../../scenarios/capabilities.ts';
import { stories } from '../../scenarios/library.ts';
import { onSerialLines } from '../kit/emulated-story.ts';
import { runCli } from '../kit/farm-process.ts';
import { failuresIn, playHere } from '../kit/story.ts';

const capabilities = suite('capabilities');

const listed = async (): Promise<Map<string, Capabilities>> => {
  const { code, out } = await runCli(['scenario', 'list', '--capabilities', '--json']);
  assert.is(code, 0);
  const list = JSON.parse(out) as { readonly name: string; readonly capabilities: Capabilities }[];
  return new Map(list.map(({ name, capabilities: of }) => [name, of]));
};

capabilities('every story plays on twins, most on an emulated line, and what cannot be says why', async () => {
  const list = await listed();

  assert.equal([...list.keys()].sort(), Object.keys(stories).sort());
  for (const [name, of] of list) assert.equal(of.twins, [], name);
  assert.ok([...list.values()].filter(({ emulated }) => emulated.length === 0).length >= 15);
  assert.match(list.get('bearing-wear')!.emulated.join(), 'no brake');
  assert.match(list.get('brush-wear')!.replay.join(), 'T-002 is a recording: its body cannot suffer brush-wear');
  assert.match(list.get('brush-wear')!.serial.join(), 'real serial port');
  assert.match(list.get('gust-front')!.serial.join(), 'nobody makes wind');
  assert.equal(list.get('clock-skew'), Object.fromEntries(BODIES.map((body) => [body, []])));
});

capabilities('as text it is a table with the reasons below', async () => {
  const { out } = await runCli(['scenario', 'list', '--capabilities']);
  assert.match(out, /^story +twins +emulated +serial +replay$/m);
  assert.match(out, /^brush-wear +yes +yes +no +no$/m);
  assert.match(out, /^brush-wear on replay: T-002 is a recording/m);
});

/** All of them are the lane `emulated`. */
for (const name of ['encoder-loses-a-slot', 'gust-front', 'update-under-way'])
  capabilities(`${name} comes true on serial lines too`, async () => {
    assert.equal(failuresIn(await playHere(onSerialLines(stories[name]))), []);
  });

capabilities('a fault that a body cannot suffer is refused before anything starts, naming it', async () => {
  const story = { ...stories['mixed-fleet'], timeline: [{ at: '1m', fault: 'serial-garbage', on: 'T-001' }], expect: [] };
  await playHere(story).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /T-001 is a twin: it cannot suffer serial-garbage/),
  );
});

capabilities.run();
