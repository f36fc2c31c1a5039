import { nearest } from '../elementary.ts';

/** The 10-bit converter of the controller: counts = U / Uref × 1023, held within 0..1023. A sagging reference reads high. */
export const readAdc = (voltageV: number, referenceV: number): number =>
  Math.max(0, Math.min(1023, nearest((voltageV / referenceV) * 1023)));
