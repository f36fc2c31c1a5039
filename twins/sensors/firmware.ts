/**
 * The desk turbine's board as its serial port shows it: a twin's body behind the firmware's loop, a line of 20 fields each 50 ms.
 *
 * Its sensors hang on an I²C bus that can fail: nobody acknowledges (the loop prints the last values again), the bus hangs (the loop
 * waits with it: no line), a bit of the motion sensor's registers flips. After a restart the board says so first, as the original does.
 */
import { createSampleBlock } from '../../actors/contracts/backing.ts';
import { column, printReading } from '../../actors/contracts/channels.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { type TwinBacking, TWIN_STEP_MS } from '../body.ts';

/** What the board's I²C bus does to one reading of its sensors. */
export type BusAnswer = 'well' | 'nack' | 'hang' | { readonly flipBit: number };

export interface Firmware {
  /** The body that it sits on: one turbine. */
  readonly body: TwinBacking;
  /** Brings body and board to `now`. @returns what the port sent meanwhile, a chunk a line */
  run(now: Millis): readonly Uint8Array[];
}

/** Registers of the motion sensor that the line shows: ax, ay, az, 16 bits each. */
const REGISTERS = ['ax', 'ay', 'az'] as const;
export const REGISTER_BITS = 16 * REGISTERS.length;
/** Fields that come over the bus; the others are the controller's own. */
const ON_THE_BUS = ['qw', 'qx', 'qy', 'qz', 'gx', 'gy', 'gz', 'ax', 'ay', 'az', 'gearboxtemp', 'ambtemp', 'humidity', 'pressure', 'gas'];

/** @param bus asked once a loop. @param loop counts from 1 */
export function emulatedFirmware(body: TwinBacking, bus: (loop: number) => BusAnswer = () => 'well'): Firmware {
  const { channels } = body;
  const block = createSampleBlock(channels, 1);
  const overBus = ON_THE_BUS.map((name) => column(channels, name));
  const acceleration = REGISTERS.map((name) => column(channels, name));
  const uptime = column(channels, 'arduino_timestamp');
  const held = new Float64Array(channels.length);
  let loop = 0;
  let lastMs = 0;

  const print = (): Uint8Array[] => {
    body.sample(block);
    const { values } = block;
    const lines: Uint8Array[] = values[uptime] < lastMs ? [Buffer.from('Initialization complete\r\n')] : [];
    lastMs = values[uptime];
    const answer = bus(++loop);
    if (answer === 'hang') return [];
    if (answer === 'nack') for (const at of overBus) values[at] = held[at];
    else for (const at of overBus) held[at] = values[at];
    if (typeof answer === 'object') {
      const at = acceleration[Math.floor(answer.flipBit / 16) % acceleration.length];
      const registers = (values[at] & 0xffff) ^ (1 << (answer.flipBit % 16));
      values[at] = registers >= 0x8000 ? registers - 0x1_0000 : registers; // two's complement
    }
    const line = channels.map((channel, c) => printReading(channel, values[c])).join(',');
    return [...lines, Buffer.from(`${line}\r\n`)];
  };

  return {
    body,
    run(now) {
      const sent: Uint8Array[] = [];
      while (body.now() + TWIN_STEP_MS <= now) {
        body.advance(body.now() + TWIN_STEP_MS);
        sent.push(...print());
      }
      return sent;
    },
  };
}
