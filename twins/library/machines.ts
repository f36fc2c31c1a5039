/** The machines that twins can be: by name from the library, or from a file of the user's own. */
import { ConfigInvalid, didYouMean } from '../../actors/contracts/errors.ts';
import type { WindSpec } from '../wind/field.ts';
import { gridLayout, type Layout } from '../wind/layout.ts';
import type { VariableSpeedParameters } from '../turbine/variable-speed/parameters.ts';
import { type DeskTurbineParameters, defaultWind, deskTurbineParameters } from './desk-turbine.ts';
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

/** The wind that a machine's farm has when nobody says otherwise. */
export const windOf = ({ kind }: TwinMachine): WindSpec =>
  kind === 'fixed-pitch' ? defaultWind : { meanMps: 9, turbulenceIntensity: 'B' };

const SPACING_DIAMETERS = 7; // usual between the rows of a farm

/** Where they stand when nobody says otherwise: utility-scale turbines in a grid; on a desk the place does not matter. */
export const layoutOf = (machine: TwinMachine, count: number): Layout | undefined =>
  machine.kind === 'fixed-pitch' ? undefined : gridLayout(count, SPACING_DIAMETERS * 2 * machine.parameters.rotorRadiusM);
