/** `windfleet data record`: twins into a CSV, a row a sample, and the truth about them into a sidecar. */
import { createWriteStream, renameSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { ConfigInvalid, didYouMean, UsageError } from '../../../actors/contracts/errors.ts';
import { createSampleBlock } from '../../../actors/contracts/backing.ts';
import { printRecordedSample, recordingHeader } from '../../../actors/contracts/recording.ts';
import { parseDuration } from '../../../actors/contracts/units.ts';
import { twinBacking } from '../../../twins/backing.ts';
import { faultInjector } from '../../../twins/faults/injector.ts';
import { layoutOf, windOf } from '../../../twins/library/machines.ts';
import { createRng } from '../../../twins/rng.ts';
import { VirtualClock } from '../../../twins/time/virtual-clock.ts';
import type { Io } from '../print.ts';
import { openMachine } from './machine.ts';

const SAMPLE_MS = 50;

export async function recordFile(
  flags: { out: string; turbines: string; for: string; seed: string; like: string; faults?: string[] },
  io: Io,
): Promise<void> {
  const forMs = parseDuration(flags.for);
  if (forMs === null || forMs < 1_000)
    throw new UsageError(`--for ${flags.for} is no duration of a second or more`, { hint: 'as 90s, 10m, 2h' });
  const turbines = wholeNumber('--turbines', flags.turbines, 1, 10_000);
  const seed = wholeNumber('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER);
  const machine = await openMachine(flags.like);
  const { epoch } = new VirtualClock();
  const things = Array.from({ length: turbines }, (_, i) => `T-${String(i + 1).padStart(3, '0')}`);
  const layout = layoutOf(machine, turbines);
  const backing = twinBacking({ things, rng: createRng(seed), machine, wind: windOf(machine), ...(layout ? { layout } : {}) });
  const names = backing.faults.catalogue.map(({ name }) => name);
  for (const fault of flags.faults ?? [])
    if (!names.includes(fault))
      throw new ConfigInvalid(`a ${machine.name} has no fault ${fault}.${didYouMean(fault, names)}`, {
        hint: `faults: ${names.join(', ')}`,
      });
  const injector = faultInjector([backing]);
  const block = createSampleBlock(backing.channels, turbines);
  const truth: { thing: string; fault: string; severity: number; from: string }[] = [];

  const part = `${flags.out}.part`;
  const file = createWriteStream(part);
  await once(file, 'open');
  file.write(`${recordingHeader(backing.channels)}\n`);
  const halfway = Math.floor(forMs / 2 / SAMPLE_MS) * SAMPLE_MS;
  let samples = 0;
  for (let now = SAMPLE_MS; now <= forMs && !io.signal.aborted; now += SAMPLE_MS) {
    if (now === halfway) {
      for (const [i, fault] of (flags.faults ?? []).entries()) {
        const thing = things[i % turbines];
        injector.inject(thing, { fault, severity: 0.5, over: 0 });
        truth.push({ thing, fault, severity: 0.5, from: new Date(epoch + now).toISOString() });
      }
    }
    backing.advance(now);
    backing.sample(block);
    for (const [row, thing] of things.entries())
      file.write(`${printRecordedSample(thing, epoch + now, block.values, row * backing.channels.length, backing.channels)}\n`);
    samples += turbines;
    if (file.writableNeedDrain) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
  renameSync(part, flags.out); // whole, or not there
  writeFileSync(`${flags.out}.truth.json`, `${JSON.stringify({ seed, turbines, machine: backing.machine, faults: truth }, null, 2)}\n`);
  io.out(`${flags.out}: ${samples} samples of ${turbines} turbine${turbines === 1 ? '' : 's'}`);
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`${name} ${text} is no whole number within ${min}..${max}`);
}
