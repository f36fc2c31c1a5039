/**
 * The faults of twins whose bodies are elsewhere, in another thread: what can be broken, what has been, and what has ended by itself
 * since.
 */
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { fixedPitchBoard } from '../fixed-pitch-backing.ts';
import type { TwinMachine } from '../library/machines.ts';
import { createEffects } from '../turbine/fixed-pitch/effects.ts';
import { createVariableSpeedEffects } from '../turbine/variable-speed/effects.ts';
import { variableSpeedBoard } from '../variable-speed-backing.ts';
import type { Breakable } from './injector.ts';

/** @param rng of the bodies. @param now as the bodies will have it when what is ordered now reaches them */
export function faultLedger(machine: TwinMachine, things: readonly ThingName[], rng: Rng, now: () => Millis): Breakable {
  const board =
    machine.kind === 'variable-speed'
      ? variableSpeedBoard(machine, things, rng, createVariableSpeedEffects(things.length))
      : fixedPitchBoard(machine.name, things, rng, createEffects(things.length));
  const upToDate = () => {
    board.apply(now(), 0); // who has ended, goes
    return board;
  };
  return {
    things,
    now,
    faults: {
      ...board,
      active: () => upToDate().active(),
      clear: (row, fault) => upToDate().clear(row, fault),
    },
  };
}
