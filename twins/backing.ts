/**
 * Twins as a body: turbines of one machine in columns, stepped 20 times a simulated second.
 *
 * A turbine's numbers depend on the seed, on its own name and place: neighbours' faults and the size of the fleet shift none of them.
 */
import type { TwinBacking, TwinSpec } from './body.ts';
import { fixedPitchBacking } from './fixed-pitch-backing.ts';
import { machineNamed } from './library/machines.ts';
import { variableSpeedBacking } from './variable-speed-backing.ts';

export function twinBacking(spec: TwinSpec): TwinBacking {
  const machine = spec.machine ?? machineNamed('desk-turbine');
  return machine.kind === 'variable-speed' ? variableSpeedBacking(spec, machine) : fixedPitchBacking(spec, machine);
}
