/**
 * A serial turbine without hardware: the real driver, fed by a firmware emulator in the same process and in virtual time.
 *
 *   twin ▶ firmware's line ▶ (what the cable does to it) ▶ lines of the stream ▶ the Pro Mini's driver ▶ latch ▶ Backing
 */
import type { Body } from '../actors/assemble.ts';
import type { Clock } from '../actors/contracts/clock.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Log } from '../actors/contracts/log.ts';
import { localShard } from '../actors/dataplane/local.ts';
import { driverBacking } from '../physical/backing.ts';
import { linesOf } from '../physical/drivers/line-source.ts';
import { proMini } from '../physical/drivers/pro-mini.ts';
import { wallClock } from '../physical/wall-clock.ts';
import { twinBacking } from '../twins/backing.ts';
import { TWIN_STEP_MS } from '../twins/body.ts';
import type { Breakable } from '../twins/faults/injector.ts';
import { faultLedger } from '../twins/faults/ledger.ts';
import { sampledThrough } from '../twins/faults/samples.ts';
import { machineNamed } from '../twins/library/machines.ts';
import { createRng } from '../twins/rng.ts';
import { emulatedFirmware, REGISTER_BITS } from '../twins/sensors/firmware.ts';
import type { WindSpec } from '../twins/wind/field.ts';
import { REACTION_MS } from './bodies.ts';
import type { SerialFaults } from './faulty/serial.ts';

export interface SerialSpec {
  readonly thing: ThingName;
  /** `emulated`, or a port's path. */
  readonly port: string;
  /** That an emulated one stands in. */
  readonly wind: WindSpec;
}

export interface Serials {
  readonly bodies: readonly Body[];
  /** The emulated ones: the body that the board sits on is a twin's. */
  readonly breakable: readonly Breakable[];
  /** Those at real ports. */
  readonly unbreakable: readonly ThingName[];
}

export interface SerialTools {
  readonly seed: number;
  readonly clock: Clock;
  readonly log: Log;
  /** What the cable and the board's bus do; absent: nothing. */
  readonly faults: SerialFaults | undefined;
}

/** @throws EnvironmentLacking for a port that is not there. */
export async function openSerials(specs: readonly SerialSpec[], tools: SerialTools): Promise<Serials> {
  const bodies: Body[] = [];
  const breakable: Breakable[] = [];
  const unbreakable: ThingName[] = [];
  for (const spec of specs) {
    const { thing, port } = spec;
    if (port === 'emulated') {
      bodies.push(emulatedSerial(spec, tools));
      const inForce = () => tools.clock.now() + REACTION_MS;
      breakable.push(faultLedger(machineNamed('desk-turbine'), [thing], createRng(tools.seed), inForce));
      continue;
    }
    const { serialLines } = await import('../physical/drivers/serial-port.ts');
    const lines = await serialLines({ path: port, clock: wallClock(), log: tools.log }).catch(async (error: unknown) => {
      for (const { shards } of bodies) for (const shard of shards) await shard.close(); // else an open port keeps the process
      throw error;
    });
    const backing = driverBacking({ thing, kind: 'serial', driver: proMini(lines), clock: tools.clock, log: tools.log });
    bodies.push({ ...backing, shards: [localShard(backing, { waits: true })], reactionMs: REACTION_MS });
    unbreakable.push(thing);
  }
  return { bodies, breakable, unbreakable };
}

function emulatedSerial({ thing, wind }: SerialSpec, { seed, clock, log, faults }: SerialTools): Body {
  const rng = createRng(seed);
  const twin = twinBacking({ things: [thing], rng, wind });
  const firmware = emulatedFirmware(twin, (loop) => faults?.bus(thing, loop, REGISTER_BITS) ?? 'well');
  const pipe = bytePipe();
  const driver = proMini((signal) => linesOf(pipe.read(signal)));
  const backing = sampledThrough(driverBacking({ thing, kind: 'serial', driver, clock, log }), twin.faults, rng);
  let closed = false;

  // The board ran before the fleet did, and its line has been read by the tick that it is for.
  const loop = () => {
    if (closed) return;
    clock.setTimeout(loop, TWIN_STEP_MS);
    for (const chunk of firmware.run(clock.now() + TWIN_STEP_MS)) pipe.write(faults?.cable(thing, chunk) ?? chunk);
  };
  loop();

  const closing = {
    ...backing,
    async close() {
      closed = true;
      await backing.close();
    },
  };
  return { ...closing, shards: [localShard(closing, { waits: true, faults: backing.breaking })], reactionMs: REACTION_MS };
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
