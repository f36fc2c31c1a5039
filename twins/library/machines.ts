/** The machines that twins can be: by name from the library, or from a file of the user's own. */
import { ConfigInvalid, didYouMean } from '../../actors/contracts/errors.ts';
import type { VariableSpeedParameters } from '../turbine/variable-speed/parameters.ts';
import { type DeskTurbineParameters, deskTurbineParameters } from './desk-turbine.ts';
import { nrel5mwParameters } from './nrel-5mw.ts';

export type TwinMachine = { readonly name: string; readonly about: string } & (
  | { readonly kind: 'fixed-pitch'; readonly parameters: DeskTurbineParameters }
  | { readonly kind: 'variable-speed'; readonly parameters: VariableSpeedParameters }
);

export const machines: readonly TwinMachine[] = [
  {
    name: 'desk-turbine',
    about: 'The 3D-printed turbine of the workshop, 0.37 m across.',
    kind: 'fixed-pitch',
    parameters: deskTurbineParameters,
  },
  { name: 'nrel-5mw', about: 'The NREL 5-MW reference turbine, 126 m across.', kind: 'variable-speed', parameters: nrel5mwParameters },
];

/** @throws ConfigInvalid with near names. */
export function machineNamed(name: string): TwinMachine {
  const found = machines.find((machine) => machine.name === name);
  if (found) return found;
  const names = machines.map((machine) => machine.name);
  throw new ConfigInvalid(`no machine ${name} in the library.${didYouMean(name, names)}`, {
    hint: `machines: ${names.join(', ')}, or the path of a machine file (.yaml)`,
  });
}
