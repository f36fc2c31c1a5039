/**
 * Samples → lines of a recording, as `printRecordedSample` defines them, some times as fast: a reading that has not changed keeps its
 * text, a number that lies on its channel's grid is printed as a whole number with a point in it, the time of a tick is printed once.
 */
import { type Channel, column, printReading } from '../../actors/contracts/channels.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import { printTime, recordingColumns } from '../../actors/contracts/recording.ts';
import type { Millis } from '../../actors/contracts/units.ts';

/** What stands in a column: the name of the turbine, the time, or the channel of that index. */
type Cell = 'thing' | 'time' | number;

/**
 * Lines, each with its end, of one sample of every turbine.
 *
 * @param at epoch milliseconds
 * @param values [things × channels]
 */
export type RecordingPrinter = (at: Millis, values: Float64Array) => string;

export function recordingPrinter(things: readonly ThingName[], channels: readonly Channel[]): RecordingPrinter {
  const width = channels.length;
  const cells = recordingColumns(channels).map(
    (name): Cell => (name === 'nanoId' || name === 'turbineId' ? 'thing' : name === 'eventTime' ? 'time' : column(channels, name)),
  );
  const printers = channels.map(gridPrinter);
  const lastValues = new Float64Array(things.length * width).fill(Number.NaN);
  const lastTexts = new Array<string>(things.length * width).fill('');

  return (at, values) => {
    const time = printTime(at);
    let lines = '';
    for (let row = 0; row < things.length; row++) {
      let line = '';
      for (let i = 0; i < cells.length; i++) {
        const cell = cells[i];
        if (i > 0) line += ',';
        if (cell === 'thing') line += things[row];
        else if (cell === 'time') line += time;
        else {
          const k = row * width + cell;
          const value = values[k];
          if (value !== lastValues[k]) {
            lastValues[k] = value; // NaN is never the last one: its text is made anew
            lastTexts[k] = printers[cell](value);
          }
          line += lastTexts[k];
        }
      }
      lines += `${line}\n`;
    }
    return lines;
  };
}

const LARGEST = 1e9; // scaled: whole numbers that print without an exponent, and exactly

/** A channel's text: the fast way for a value with its decimals and no more. */
function gridPrinter(channel: Channel): (value: number) => string {
  const { decimals } = channel;
  if (decimals === undefined) return (value) => printReading(channel, value);
  const scale = 10 ** decimals;
  return (value) => {
    const scaled = value * scale;
    const whole = Math.round(scaled);
    if (!(Math.abs(scaled - whole) < 1e-5 && Math.abs(whole) < LARGEST) || whole === 0) return printReading(channel, value);
    if (decimals === 0) return String(whole);
    const digits = String(Math.abs(whole)).padStart(decimals + 1, '0');
    const point = digits.length - decimals;
    return `${whole < 0 ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
  };
}
