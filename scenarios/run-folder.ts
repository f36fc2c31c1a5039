/**
 * A run on disk: `events.jsonl`, `story.yaml`, `summary.json`. Each line of the log ends with the SHA-256 of the line before it, so that
 * nothing in it can be changed, left out or put in without notice; the summary holds the last one.
 *
 * The folder has its name once all of it is there: a run that is broken off leaves `<folder>.partial`.
 */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { EnvironmentLacking, FileInvalid, reasonOf, UsageError } from '../actors/contracts/errors.ts';
import type { FleetEvent } from '../actors/contracts/log.ts';
import { eventLine } from './digest.ts';
import type { Scenario } from './dsl.ts';
import { parseStory, printStory } from './words/yaml.ts';

export const EVENTS_FILE = 'events.jsonl';
export const STORY_FILE = 'story.yaml';
export const SUMMARY_FILE = 'summary.json';

/** What the first line follows on. */
const GENESIS = '0'.repeat(64);
const FLUSH_LINES = 256;

export const RunSummary = z.looseObject({
  schema: z.literal('windfleet.run/v1'),
  name: z.string(),
  seed: z.int(),
  /** Simulated. */
  endMs: z.number(),
  digest: z.string(),
  passed: z.boolean(),
  failures: z.array(z.looseObject({ wanted: z.string(), got: z.string(), atMs: z.number() })),
  events: z.int(),
  /** Of the log's last line. */
  lastLine: z.string(),
});
export type RunSummary = z.infer<typeof RunSummary>;

export interface RunFolder {
  append(event: FleetEvent): void;
  /** Gives the folder its name. @param facts what the summary says beside the log's own figures */
  finish(facts: Omit<RunSummary, 'schema' | 'events' | 'lastLine'>): void;
  /** Nothing of it is kept. */
  abandon(): void;
}

/** @throws UsageError when something is there already; EnvironmentLacking when it cannot be made. */
export function openRunFolder(folder: string, story: Scenario): RunFolder {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new UsageError(`${folder} is there already, and not empty`, {
      hint: 'name another folder with --out: a run is never written over',
    });
  const partial = `${folder}.partial`;
  try {
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
  } catch (error) {
    throw new EnvironmentLacking(`${partial} cannot be made: ${reasonOf(error)}`, { cause: error, hint: 'name another folder with --out' });
  }
  writeFileSync(join(partial, STORY_FILE), printStory(story));
  const log = join(partial, EVENTS_FILE);
  writeFileSync(log, '');
  let last = GENESIS;
  let events = 0;
  let lines: string[] = [];

  const flush = () => {
    if (lines.length > 0) appendFileSync(log, lines.join(''));
    lines = [];
  };
  return {
    append(event) {
      const line = chained(eventLine(event), last);
      last = hashOf(line);
      events++;
      lines.push(`${line}\n`);
      if (lines.length >= FLUSH_LINES) flush();
    },
    finish(facts) {
      flush();
      const summary: RunSummary = { schema: 'windfleet.run/v1', ...facts, events, lastLine: last } as RunSummary;
      writeFileSync(join(partial, SUMMARY_FILE), `${JSON.stringify(summary, null, 2)}\n`);
      for (const file of [EVENTS_FILE, STORY_FILE, SUMMARY_FILE]) sync(join(partial, file));
      mkdirSync(dirname(folder), { recursive: true });
      if (existsSync(folder)) rmSync(folder, { recursive: true }); // empty, as was seen
      renameSync(partial, folder);
    },
    abandon: () => rmSync(partial, { recursive: true, force: true }),
  };
}

export interface RecordedRun {
  readonly folder: string;
  readonly summary: RunSummary;
  readonly story: Scenario;
  readonly events: readonly FleetEvent[];
}

const Line = z.strictObject({
  at: z.number(),
  kind: z.enum(['state', 'verdict', 'alarm', 'job', 'fault', 'command', 'model', 'rollout', 'step']),
  of: z.string(),
  what: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  after: z.string(),
});

/** @throws FileInvalid naming the line at which the chain breaks, or what is missing. */
export function readRun(folder: string): RecordedRun {
  const text = (file: string) => {
    try {
      return readFileSync(join(folder, file), 'utf8');
    } catch (error) {
      throw new FileInvalid(`${folder} is no run: ${file} cannot be read: ${reasonOf(error)}`, {
        cause: error,
        hint: 'windfleet scenario run NAME --out FOLDER writes one',
      });
    }
  };
  const summary = readSummary(text(SUMMARY_FILE), join(folder, SUMMARY_FILE));
  const file = join(folder, EVENTS_FILE);
  const events: FleetEvent[] = [];
  const hash = createHash('sha256');
  let last = GENESIS;
  for (const [i, line] of text(EVENTS_FILE).split('\n').slice(0, -1).entries()) {
    const { after, ...event } = readLine(line, `${file}:${i + 1}:1`);
    if (after !== last)
      throw new FileInvalid(`${file}:${i + 1}:1 does not follow on the line before it: the log has been changed`, {
        hint: 'play the story again',
      });
    last = hashOf(line);
    hash.update(`${eventLine(event)}\n`);
    events.push(event);
  }
  if (last !== summary.lastLine || events.length !== summary.events)
    throw new FileInvalid(`${file} has ${events.length} events, and its run had ${summary.events}: the log has been changed`, {
      hint: 'play the story again',
    });
  if (hash.digest('hex') !== summary.digest)
    throw new FileInvalid(`${file} has not the digest that ${SUMMARY_FILE} says`, { hint: 'play the story again' });
  return { folder, summary, story: parseStory(text(STORY_FILE), join(folder, STORY_FILE)).story, events };
}

function readSummary(text: string, file: string): RunSummary {
  try {
    return RunSummary.parse(JSON.parse(text));
  } catch (error) {
    throw new FileInvalid(`${file}:1:1 is no summary of a run: ${error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error)}`, {
      cause: error,
    });
  }
}

function readLine(line: string, place: string): z.infer<typeof Line> {
  try {
    return Line.parse(JSON.parse(line));
  } catch (error) {
    throw new FileInvalid(`${place} is no event: ${error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** The line of an event with what it follows on. */
const chained = (line: string, after: string): string => `${line.slice(0, -1)},"after":${JSON.stringify(after)}}`;
const hashOf = (line: string): string => createHash('sha256').update(line).digest('hex');

function sync(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
