import { createActor } from 'xstate';
import { turbineMachine } from '../../actors/turbine/machine.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { type Figure, nanosecondsEach } from '../kit/bench.ts';

/** One event that changes a turbine's state; the baseline is an event that it only remembers. */
export async function bench(): Promise<Figure[]> {
  const input = { thing: 'T-001', command: () => {}, forgetVerdict: () => {}, askNextJob: () => {} };
  const actor = createActor(turbineMachine, { clock: new VirtualClock(), input }).start();
  const change = nanosecondsEach((times) => {
    for (let i = 0; i < times; i++) actor.send({ type: i % 2 === 0 ? 'rotor.turning' : 'rotor.still' });
  }, 20_000);
  const remember = nanosecondsEach((times) => {
    for (let i = 0; i < times; i++) actor.send({ type: 'window.broken' });
  }, 20_000);
  return [
    {
      name: 'actor',
      value: change / 1_000,
      unit: 'µs an event with a change of state',
      baseline: { name: 'an event that is only remembered', value: remember / 1_000, ratio: remember / change },
    },
  ];
}
