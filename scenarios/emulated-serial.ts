/**
 * A serial turbine without hardware: the real driver, fed by a firmware emulator in the same process and in virtual time.
 *
 *   twin ▶ firmware's line ▶ (what the cable does to it) ▶ lines of the stream ▶ the Pro Mini's driver ▶ latch ▶ Backing
 */
import type { Backing } from '../actors/contracts/backing.ts';
import type { Clock } from '../actors/contracts/clock.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Log } from '../actors/contracts/log.ts';
import type { Rng } from '../actors/contracts/rng.ts';
import { driverBacking } from '../physical/backing.ts';
import { linesOf } from '../physical/drivers/line-source.ts';
import { type ProMini, proMini } from '../physical/drivers/pro-mini.ts';
import { twinBacking } from '../twins/backing.ts';
import { type TwinBacking, TWIN_STEP_MS } from '../twins/body.ts';
import { emulatedFirmware, REGISTER_BITS } from '../twins/sensors/firmware.ts';
import type { WindSpec } from '../twins/wind/field.ts';
import type { SerialFaults } from './faulty/serial.ts';

export interface EmulatedSerial {
  readonly backing: Backing;
  /** The body that the emulated board sits on: what breaks there shows on the line. */
  readonly body: TwinBacking;
  readonly driver: ProMini;
}

export interface EmulatedSerialOptions {
  readonly thing: ThingName;
  readonly rng: Rng;
  readonly wind: WindSpec;
  readonly clock: Clock;
  readonly log: Log;
  /** What the cable and the board's bus do; absent: nothing. */
  readonly faults?: SerialFaults;
}

export function emulatedSerial({ thing, rng, wind, clock, log, faults }: EmulatedSerialOptions): EmulatedSerial {
  const body = twinBacking({ things: [thing], rng, wind });
  const firmware = emulatedFirmware(body, (loop) => faults?.bus(thing, loop, REGISTER_BITS) ?? 'well');
  const pipe = bytePipe();
  const driver = proMini((signal) => linesOf(pipe.read(signal)));
  const backing = driverBacking({ thing, kind: 'serial', driver, clock, log });
  let closed = false;

  const loop = () => {
    if (closed) return;
    clock.setTimeout(loop, TWIN_STEP_MS);
    for (const chunk of firmware.run(clock.now())) pipe.write(faults?.cable(thing, chunk) ?? chunk);
  };
  clock.setTimeout(loop, TWIN_STEP_MS);

  return {
    body,
    driver,
    backing: {
      ...backing,
      async close() {
        closed = true;
        await backing.close();
      },
    },
  };
}

/** A serial line's bytes between who writes and the one that reads. */
function bytePipe() {
  let chunks: Uint8Array[] = [];
  let wake: () => void = () => {};
  return {
    write(chunk: Uint8Array) {
      if (chunk.length === 0) return;
      chunks.push(chunk);
      wake();
    },
    async *read(signal: AbortSignal): AsyncGenerator<Uint8Array> {
      const aborted = new Promise<void>((ended) => signal.addEventListener('abort', () => ended(), { once: true }));
      while (!signal.aborted) {
        const come = chunks;
        chunks = [];
        yield* come;
        if (chunks.length > 0) continue;
        await Promise.race([new Promise<void>((more) => (wake = more)), aborted]);
      }
    },
  };
}
