/** Ports that a farm has by custom, and does without when another has them. */
import { EnvironmentLacking } from '../actors/contracts/errors.ts';
import type { Log } from '../actors/contracts/log.ts';

/**
 * Opens the port that was asked for; when nobody asked, the usual one, or any when that is taken: a second farm beside the first
 * needs no flags for ports that it may not use. @throws EnvironmentLacking
 */
export async function openUsual<T>(asked: number | undefined, usual: number, log: Log, open: (port: number) => Promise<T>): Promise<T> {
  try {
    return await open(asked ?? usual);
  } catch (error) {
    if (asked !== undefined || !(error instanceof EnvironmentLacking)) throw error;
    log.info({ port: usual, reason: error.message }, 'another port is taken instead');
    return open(0);
  }
}
