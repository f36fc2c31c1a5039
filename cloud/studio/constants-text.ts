/** The constants of a feature's operation for people: by name, and a curve by its ends. */
import { CURVE_POINTS } from '../../actors/signal/operations.ts';

/** @param figure prints a number */
export function constantsText(parameters: Readonly<Record<string, number>>, figure: (value: number) => string): string[] {
  const last = CURVE_POINTS - 1;
  const named = Object.entries(parameters).filter(([name]) => !/^[xy]\d$/.test(name));
  const point = (i: number) => `(${figure(parameters[`x${i}`])}, ${figure(parameters[`y${i}`])})`;
  return [
    ...named.map(([name, value]) => `${name} ${figure(value)}`),
    ...('x0' in parameters ? [`a curve of ${CURVE_POINTS} points from ${point(0)} to ${point(last)}`] : []),
  ];
}
