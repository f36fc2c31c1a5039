/**
 * A turbine that one can touch, as a body: its driver speaks when it likes, the latest readings are latched, and a sample takes them.
 *
 * Readings older than a second are stale, older than five the turbine is lost; both mend themselves with the next line.
 */
import { type Backing, type BackingKind, Quality } from '../actors/contracts/backing.ts';
import { type Clock, sleep } from '../actors/contracts/clock.ts';
import { deskTurbine } from '../actors/contracts/channels.ts';
import { reasonOf } from '../actors/contracts/errors.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Log } from '../actors/contracts/log.ts';
import type { Driver, Readings } from './drivers/driver.ts';

export interface DriverBackingOptions {
  readonly thing: ThingName;
  readonly kind: BackingKind;
  readonly driver: Driver;
  readonly clock: Clock;
  readonly log: Log;
  /** Changes readings on their way in: calibration, noise. */
  readonly adjust?: (readings: Readings) => Readings;
}

const STALE_MS = 150; // three lines late: nothing new
const LOST_MS = 5_000;
const RETRY_MS = 3_000;

export function driverBacking({ thing, kind, driver, clock, log, adjust = (readings) => readings }: DriverBackingOptions): Backing {
  const ending = new AbortController();
  let latest: Readings | null = null;
  let heardAt = Number.NEGATIVE_INFINITY;
  let isFresh = false;

  const listen = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        for await (const readings of driver.read(ending.signal)) {
          latest = adjust(readings);
          heardAt = clock.now();
          isFresh = true;
        }
      } catch (error) {
        log.warn({ thing, driver: driver.name, reason: reasonOf(error) }, 'the turbine does not speak');
      }
      if (!ending.signal.aborted) await sleep(clock, RETRY_MS);
    }
  };
  const listening = listen();

  return {
    kind,
    machine: deskTurbine.name,
    channels: deskTurbine.channels,
    things: [thing],
    offers: new Set(),
    advance: () => {}, // it has moved already
    sample({ values, quality, channels }) {
      const age = clock.now() - heardAt;
      const isLost = latest === null || age > LOST_MS;
      for (const [c, { name }] of channels.entries()) values[c] = isLost ? Number.NaN : (latest?.[name] ?? Number.NaN);
      quality[0] = isLost ? Quality.lost : isFresh || age <= STALE_MS ? 0 : Quality.stale;
      isFresh = false;
    },
    command(_, command) {
      if (command.type !== 'derate') log.info({ thing, command: command.type }, 'a desk turbine has no brake: nothing was done');
    },
    async close() {
      ending.abort();
      await Promise.race([listening, sleep(clock, 1_000)]);
    },
  };
}
