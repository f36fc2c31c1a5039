/**
 * The desk turbine's Arduino Pro Mini: about 20 lines a second of 20 numbers between commas, the latest value of every channel.
 *
 * Half a line after a reset, two lines in one, bytes that were lost: all are dropped and counted, and reading goes on at the next line.
 */
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { BackingLost } from '../../actors/contracts/errors.ts';
import type { Driver, Readings } from './driver.ts';

const NUMBER = /^-?\d{1,10}(\.\d{1,6})?$/;

/** What the firmware says for ever when it cannot start, with its code. */
const COMPLAINT = /^Invalid Intialization\..*Code: (\d+)/; // its own spelling
const COMPLAINTS: Readonly<Record<string, string>> = {
  '1': 'the BME680 was not found',
  '2': 'the MPU6050 does not answer',
  '3': 'the MPU6050’s motion processor could not be started',
};

export interface ProMini extends Driver {
  /** Lines that were none. */
  readonly rejected: number;
}

export function proMini(lines: (signal: AbortSignal) => AsyncIterable<string>): ProMini {
  let rejected = 0;
  return {
    name: 'pro-mini',
    get rejected() {
      return rejected;
    },
    async *read(signal) {
      for await (const line of lines(signal)) {
        const complaint = COMPLAINT.exec(line.trim());
        if (complaint)
          throw new BackingLost(`the turbine’s firmware cannot start: ${COMPLAINTS[complaint[1]] ?? `code ${complaint[1]}`}`, {
            hint: 'check that sensor’s wiring, and restart the board',
          });
        const readings = parseLine(line);
        if (readings) yield readings;
        else rejected++;
      }
    },
  };
}

/** The readings of one whole line; null for anything else. An empty field is no zero. */
export function parseLine(line: string): Readings | null {
  const texts = line.trim().split(',');
  if (texts.length !== deskTurbine.channels.length || !texts.every((text) => NUMBER.test(text))) return null;
  return Object.fromEntries(deskTurbine.channels.map(({ name }, i) => [name, Number(texts[i])]));
}
