/** A hundred repetitions of a small story, on 1, 2 and 4 workers, and at every speed: one digest. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scenario } from '../../scenarios/dsl.ts';
import { stories } from '../../scenarios/library.ts';
import { printStory } from '../../scenarios/words/yaml.ts';
import { CLI } from '../kit/farm-process.ts';
import { playHere } from '../kit/story.ts';
import type { Lane } from './main.ts';

const REPETITIONS = 100;
const small: Scenario = {
  ...stories['update-under-way'],
  duration: '1m',
  timeline: [{ at: '20s', fault: 'encoder-dropout', on: 'T-004', severity: 0.6 }],
  expect: [{ that: 'noAlarm', butOn: 'T-004' }],
};

export const lane: Lane = async (say) => {
  const { digest } = await playHere(small);
  const hold = (other: string, how: string) => {
    if (other !== digest) throw new Error(`${how}: ${other}, not ${digest}`);
  };
  for (let i = 1; i <= REPETITIONS; i++) {
    hold((await playHere(small)).digest, `repetition ${i}`);
    if (i % 20 === 0) say(`${i} repetitions`);
  }
  for (const workers of [1, 2, 4]) hold((await playHere(small, { workers })).digest, `${workers} workers`);
  say('1, 2 and 4 workers');
  const folder = mkdtempSync(join(tmpdir(), 'windfleet-digests-'));
  try {
    const file = join(folder, 'small.yaml');
    writeFileSync(file, printStory(small));
    for (const speed of [null, 'max', '100x', '1x']) {
      const printed = execFileSync(process.execPath, [CLI, 'scenario', 'run', file, ...(speed === null ? [] : ['--speed', speed])], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      hold(/digest: ([0-9a-f]{64})/.exec(printed)?.[1] ?? '', `another process, speed ${speed ?? 'as it goes'}`);
      say(`speed ${speed ?? 'as it goes'}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return [`${REPETITIONS} repetitions, 1, 2 and 4 workers, speeds 1x, 100x and max, in other processes: one digest`];
};
