/**
 * The log of a desk turbine's serial line → samples: 20 numbers a line, their time from the board's own milliseconds.
 *
 * A port that was opened in the middle, lost bytes and complaints of the firmware are part of such a log: lines that are none are
 * dropped and counted, up to a share of all.
 */
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import { createFileFaults } from '../../actors/contracts/file-faults.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import { readLines } from './read-lines.ts';
import type { SampleSource } from './samples.ts';

/** Of the lines; above it the file is not what it should be. */
export const MOST_GARBAGE = 0.05;

const LONGEST_LINE = 4_096; // bytes; garbage too comes with ends of lines now and then
const NUMBER = /^-?\d{1,10}(\.\d{1,6})?$/;
const COMPLAINT = /^Invalid Intialization\..*Code: (\d+)/; // the firmware's own spelling
const RESTART_MS = 60_000; // a restarted board does not know how long it was off: far enough apart that no window spans it

/** The values of a line of the firmware, in the order of its channels; null for anything else. */
export function parseSerialLine(text: string): Float64Array | null {
  const texts = text.trim().split(',');
  if (texts.length !== deskTurbine.channels.length || !texts.every((number) => NUMBER.test(number))) return null;
  return Float64Array.from(texts, Number);
}

/** Makes one line of time of the board's counter, which wraps after 2³² ms and starts again with the board. */
export function boardTime(): { (millis: number): number; readonly restarts: number } {
  const WRAP = 2 ** 32;
  let base = 0;
  let last = -1;
  let restarts = 0;
  const of = (millis: number): number => {
    if (millis < last) {
      if (last > WRAP - RESTART_MS && millis < RESTART_MS) base += WRAP;
      else {
        restarts++;
        base += last - millis + RESTART_MS;
      }
    }
    last = millis;
    return base + millis;
  };
  return Object.defineProperty(of, 'restarts', { get: () => restarts }) as ReturnType<typeof boardTime>;
}

/** @param thing the turbine whose line it was; the log does not say */
export function serialSource(file: string, chunks: () => AsyncIterable<Uint8Array>, thing: ThingName): SampleSource {
  const counts = { lines: 0, samples: 0, garbage: 0, complaints: 0, restarts: 0 };
  return {
    machine: deskTurbine.name,
    channels: deskTurbine.channels,
    boardClock: true,
    things: [thing],
    notes: () => [
      `${counts.samples} lines of ${counts.lines} are samples; ${counts.garbage} were none (at most ${100 * MOST_GARBAGE} % may be)`,
      ...(counts.complaints > 0 ? [`the firmware complained ${counts.complaints} times that it cannot start`] : []),
      ...(counts.restarts > 0 ? [`the board started anew ${counts.restarts} times`] : []),
    ],
    async read(hear) {
      Object.assign(counts, { lines: 0, samples: 0, garbage: 0, complaints: 0, restarts: 0 });
      const faults = createFileFaults();
      const time = boardTime();
      let code = '';
      await readLines(chunks(), file, LONGEST_LINE, (bytes, from, to, line) => {
        const text = bytes.toString('latin1', from, to);
        if (text.trim() === '') return;
        counts.lines++;
        const values = parseSerialLine(text);
        if (values) {
          counts.samples++;
          hear(0, time(values[0]), values, 0);
          return;
        }
        const complaint = COMPLAINT.exec(text.trim());
        if (complaint) {
          counts.complaints++;
          code = complaint[1];
          return;
        }
        counts.garbage++;
        faults.add(`${file}:${line} is no line of the firmware: ${JSON.stringify(text.trim().slice(0, 60))}`);
      });
      counts.restarts = time.restarts;
      if (counts.samples === 0 && counts.complaints > 0)
        throw new FileInvalid(`${file} holds no sample: the firmware says ${counts.complaints} times that it cannot start, code ${code}`, {
          hint: 'check the wiring of its sensors (code 1: BME680, 2: MPU6050, 3: its motion processor), and restart the board',
        });
      if (counts.samples === 0 || counts.garbage > MOST_GARBAGE * counts.lines)
        faults.refuse(
          `${counts.garbage} of ${counts.lines} lines are none, and at most ${100 * MOST_GARBAGE} % may be: a line is 20 numbers with commas between`,
        );
    },
  };
}
