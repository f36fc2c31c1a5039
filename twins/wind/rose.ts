/** A wind rose: how often the wind blows from a direction, and how strongly. */
import { parseNumberTable, refuse } from './csv.ts';

export interface RoseBin {
  /** From where, clockwise from north, 0..360. */
  readonly directionDeg: number;
  /** Share of the year, 0..1; all bins make 1. */
  readonly probability: number;
  /** Null where the farm's own wind speed holds. */
  readonly windMps: number | null;
}

const ABOUT = 'a rose has the columns directionDeg,probability[,windMps]; the probabilities make 1';
const SUM_TOLERANCE = 1e-3; // published roses are rounded

/** @throws FileInvalid by file, line and column. */
export function parseRose(text: string, file: string): RoseBin[] {
  const table = parseNumberTable(text, file, { required: ['directionDeg', 'probability'], optional: ['windMps'], about: ABOUT });
  const direction = table.column('directionDeg') as Float64Array;
  const probability = table.column('probability') as Float64Array;
  const wind = table.column('windMps');
  const faults: string[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < table.rows; i++) {
    const key = `${direction[i]} ${wind?.[i] ?? ''}`;
    if (!(direction[i] >= 0 && direction[i] <= 360))
      faults.push(`${table.place(i, 'directionDeg')} directionDeg ${direction[i]} is not within 0..360`);
    if (!(probability[i] >= 0 && probability[i] <= 1))
      faults.push(`${table.place(i, 'probability')} probability ${probability[i]} is not within 0..1`);
    if (wind && !(wind[i] >= 0 && wind[i] <= 75)) faults.push(`${table.place(i, 'windMps')} windMps ${wind[i]} is not within 0..75`);
    if (seen.has(key)) faults.push(`${table.place(i, 'directionDeg')} directionDeg ${direction[i]} is there already`);
    seen.add(key);
  }
  const sum = probability.reduce((total, share) => total + share, 0);
  if (faults.length === 0 && Math.abs(sum - 1) > SUM_TOLERANCE)
    faults.push(`${file}:1:1 the probabilities make ${Number(sum.toFixed(6))}, not 1`);
  refuse(faults, ABOUT);
  return Array.from(direction, (directionDeg, i) => ({ directionDeg, probability: probability[i], windMps: wind ? wind[i] : null }));
}
