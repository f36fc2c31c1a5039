/**
 * The tower's first modes fore-aft and side-side: a mass on a spring each, m x″ + 2ζωm x′ + mω² x = F, stepped exactly.
 *
 * Fore-aft is pushed by the thrust, three times a turn a little more and less; side-side by what is out of balance in the rotor,
 * m_u r ω² once a turn. A cracked blade and a blade at another pitch shake it once and twice a turn.
 */
import type { VariableSpeedColumns } from './columns.ts';
import type { VariableSpeedEffects } from './effects.ts';
import { createOscillator } from './oscillator.ts';
import type { VariableSpeedParameters } from './parameters.ts';
import { SINE_CELLS, sineTable } from './sine.ts';

/** dT/dθ of the rotor's thrust as a share of it, 1/rad: how hard one blade's pitch shakes. Assumption, from the surface near rated. */
const THRUST_PER_RAD = 6;
const CRACK_SHARE = 0.05; // of the thrust, twice a turn, when all of a blade's stiffness is gone; assumption

/** @returns the step over rows `first` up to, not including, `last`. @param dt seconds */
export function createTower(p: VariableSpeedParameters, dt: number) {
  const { topMassKg, foreAftHz, sideSideHz, dampingRatio, bladePassShare, imbalanceKgM } = p.tower;
  const foreAft = createOscillator(2 * Math.PI * foreAftHz, dampingRatio, dt);
  const sideSide = createOscillator(2 * Math.PI * sideSideHz, dampingRatio, dt);
  const sine = sineTable();
  const cells = SINE_CELLS / (2 * Math.PI);

  return (c: VariableSpeedColumns, e: VariableSpeedEffects, first: number, last: number): void => {
    const { azimuthRad, shaftRadPerS, thrustN, foreAftM, foreAftMps, foreAftMps2, sideSideM, sideSideMps, sideSideMps2 } = c;
    const { slotOf, imbalanceKgM: added, bladePitchRad, bladeStiffness } = e;
    for (let i = first; i < last; i++) {
      const slot = slotOf[i];
      const at = azimuthRad[i] * cells;
      const cell = at | 0;
      const sin = sine[cell] + (at - cell) * (sine[cell + 1] - sine[cell]);
      const cosCell = cell + SINE_CELLS / 4;
      const cos = sine[cosCell] + (at - cell) * (sine[cosCell + 1] - sine[cosCell]);
      const omega = shaftRadPerS[i];
      const thrust = thrustN[i];
      const shake =
        bladePassShare * cos * (4 * cos * cos - 3) + // cos 3ψ
        (THRUST_PER_RAD / 3) * bladePitchRad[slot] * cos +
        CRACK_SHARE * (1 - bladeStiffness[slot]) * (2 * cos * cos - 1);
      const ahead = (thrust + thrust * shake) / topMassKg;
      const aside = ((imbalanceKgM + added[slot]) * omega * omega * sin) / topMassKg;

      const restX = ahead * foreAft.compliance;
      const x = foreAftM[i] - restX;
      const vx = foreAftMps[i];
      foreAftM[i] = foreAft.m00 * x + foreAft.m01 * vx + restX;
      foreAftMps[i] = foreAft.m10 * x + foreAft.m11 * vx;
      foreAftMps2[i] = (foreAftMps[i] - vx) / dt;
      const restY = aside * sideSide.compliance;
      const y = sideSideM[i] - restY;
      const vy = sideSideMps[i];
      sideSideM[i] = sideSide.m00 * y + sideSide.m01 * vy + restY;
      sideSideMps[i] = sideSide.m10 * y + sideSide.m11 * vy;
      sideSideMps2[i] = (sideSideMps[i] - vy) / dt;
    }
  };
}
