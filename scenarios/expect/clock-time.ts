/** Instants of a run as people and `--until` read them. */
import type { Millis } from '../../actors/contracts/units.ts';

/** `4m12.350s`, `12s`, `8m`. */
export function clockTime(at: Millis): string {
  const whole = Math.round(at);
  const minutes = Math.floor(whole / 60_000);
  const seconds = (whole - minutes * 60_000) / 1_000;
  if (minutes > 0 && seconds === 0) return `${minutes}m`;
  return `${minutes > 0 ? `${minutes}m` : ''}${Number.isInteger(seconds) ? seconds : seconds.toFixed(3)}s`;
}
