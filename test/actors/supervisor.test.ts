import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createActor, setup } from 'xstate';
import { silentLog } from '../../actors/contracts/log.ts';
import { supervisor } from '../../actors/fleet/supervisor.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

const supervised = suite('supervisor');

/** Turbines that die of a reset, and remember nothing; a table of what each of them heard. */
function frailFleet() {
  const clock = new VirtualClock();
  const heard: string[] = [];
  const machine = setup({
    actions: {
      die: () => {
        throw new Error('poisoned');
      },
    },
  }).createMachine({
    initial: 'alive',
    states: { alive: { on: { 'operator.reset': { actions: 'die' }, 'actor.quarantined': 'quarantined' } }, quarantined: {} },
  });
  const fleet = supervisor({
    clock,
    log: silentLog,
    spawn(thing, died) {
      heard.push(`${thing} starts at ${clock.now()}`);
      const actor = createActor(machine, { clock });
      actor.subscribe({ error: died });
      return actor.start();
    },
  });
  for (const thing of ['A', 'B']) fleet.add(thing);
  return { clock, fleet, heard };
}

supervised('starts an actor that died again, each time later, and leaves its neighbours alone', async () => {
  const { clock, fleet, heard } = frailFleet();
  const neighbour = fleet.actor('B');

  for (const until of [2_000, 6_000, 12_000]) {
    fleet.send('A', { type: 'operator.reset' });
    await clock.settle();
    assert.is(fleet.actor('A'), null);
    fleet.send('A', { type: 'operator.reset' }); // lost: nobody is there
    await clock.run(until);
  }

  assert.equal(heard.slice(2), ['A starts at 1000', 'A starts at 4000', 'A starts at 10000']);
  assert.is(fleet.actor('B'), neighbour);
});

supervised('quarantines an actor that keeps dying', async () => {
  const { clock, fleet } = frailFleet();
  for (let i = 0; i < 4; i++) {
    fleet.send('A', { type: 'operator.reset' });
    await clock.run(clock.now() + 5_000);
  }
  assert.is(fleet.actor('A')?.getSnapshot().value, 'quarantined');
  assert.is(fleet.actor('B')?.getSnapshot().value, 'alive');
});

supervised('nothing starts once it has been stopped', async () => {
  const { clock, fleet, heard } = frailFleet();
  fleet.send('A', { type: 'operator.reset' });
  await clock.settle();
  fleet.stop();
  await clock.run(60_000);
  assert.is(heard.length, 2);
});

supervised.run();
