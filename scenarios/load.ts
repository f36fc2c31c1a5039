/**
 * A story made ready to be played: read, its files opened, and everything in it looked up. Nothing is started before nothing is wrong.
 *
 * It composes: machines and their faults are the twins', models the cloud's, states the actor's; `words/` knows none of them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import type { Chart } from '../actors/contracts/chart.ts';
import { didYouMean, FileInvalid, FleetError, NotFound, reasonOf } from '../actors/contracts/errors.ts';
import { modelId } from '../actors/contracts/ids.ts';
import type { ModelManifest } from '../actors/contracts/model.ts';
import { parseRecording, type Recording } from '../actors/contracts/recording.ts';
import { parseDuration } from '../actors/contracts/units.ts';
import { parseManifest } from '../actors/package/manifest.ts';
import { turbineChart } from '../actors/turbine/chart.ts';
import { starterFolders } from '../cloud/models/starter.ts';
import { twinBacking } from '../twins/backing.ts';
import { sensedMachines } from '../twins/channels.ts';
import { parseMachine } from '../twins/library/machine-file.ts';
import { machineNamed, type TwinMachine, windOf } from '../twins/library/machines.ts';
import { createRng } from '../twins/rng.ts';
import type { WindEvent, WindSpec } from '../twins/wind/field.ts';
import { type Layout, parseLayout, shapedLayout } from '../twins/wind/layout.ts';
import { parseWindSeries, type WindSeries } from '../twins/wind/series.ts';
import type { Scenario, Wind } from './dsl.ts';
import type { StoryThing } from './facts.ts';
import { stories } from './library.ts';
import { faultsOf } from './words/check.ts';
import { storyModule } from './words/module.ts';
import { type Path, refuseStory, type StoryFault, type StorySource } from './words/source.ts';
import { isStoryFile, readBounded, readStory } from './words/story-file.ts';
import type { MachineWords, Vocabulary } from './words/vocabulary.ts';

/** A story that can be played, and what it is played with. */
export interface LoadedStory extends StorySource {
  readonly vocabulary: Vocabulary;
  readonly things: readonly StoryThing[];
  /** By the fleet's entries of twins, in their order. */
  readonly groups: readonly StoryGroup[];
  readonly recordings: readonly { readonly file: string; readonly recording: Recording }[];
  /** `port` is a path, or `emulated`. */
  readonly serials: readonly { readonly thing: string; readonly port: string }[];
}

export interface StoryGroup {
  readonly things: readonly string[];
  readonly machine: TwinMachine;
  readonly wind: WindSpec;
  readonly layout?: Layout;
}

/**
 * @param word a story of the library, a file, or `-`
 * @param seed instead of the story's own: places that are drawn depend on it
 * @throws NotFound for no such story; FileInvalid naming every fault by file, line and column
 */
export async function loadStory(word: string, seed?: number): Promise<LoadedStory> {
  const source = await sourceOf(word);
  return prepareStory(seed === undefined ? source : { ...source, story: { ...source.story, seed } });
}

/** @throws NotFound, FileInvalid for words that are not well formed */
async function sourceOf(word: string): Promise<StorySource> {
  if (isStoryFile(word)) return readStory(word);
  const known = Object.keys(stories);
  if (!Object.hasOwn(stories, word))
    throw new NotFound(`no story ${word}.${didYouMean(word, known)}`, {
      hint: `stories: ${known.join(', ')}; or name a file, as ./${word}.yaml`,
    });
  const { file, text } = libraryFile(word);
  return { ...storyModule(stories[word], file, text), name: word, folder: dirname(file) };
}

/** The file of a library story that a person reads: its source where that is at hand, else what was compiled from it. */
function libraryFile(name: string): { readonly file: string; readonly text: string | null } {
  const here = join(import.meta.dirname, 'library');
  const source = join(import.meta.dirname, '../../scenarios/library', `${name}.ts`);
  const file = [source, join(here, `${name}.ts`), join(here, `${name}.js`)].find(existsSync);
  if (file === undefined) return { file: name, text: null };
  const near = relative(process.cwd(), file);
  return { file: near.startsWith('..') ? file : near, text: readFileSync(file, 'utf8') };
}

/** Opens the files of a story and looks up its words. @throws FileInvalid naming every fault */
export function prepareStory(source: StorySource): LoadedStory {
  const { story, place } = source;
  const faults: StoryFault[] = [];
  const open = <Value>(path: Path, read: () => Value): Value | null => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      faults.push({ path, why: error.message });
      return null;
    }
  };
  const at = (file: string) => (isAbsolute(file) || source.folder === null ? file : shortest(join(source.folder, file)));

  const series =
    story.wind?.file === undefined
      ? null
      : open(['wind', 'file'], () => parseWindSeries(readAll(at(story.wind?.file ?? '')), at(story.wind?.file ?? '')));
  const manifests = starterFolders().map((folder) => parseManifest(readFileSync(join(folder, 'manifest.json'))));
  const starters = manifests.map(({ name, version }) => modelId(name, version));
  const known = new Map<string, MachineWords>();
  const know = (machine: TwinMachine) => {
    if (!known.has(machine.name)) known.set(machine.name, wordsOf(machine, manifests));
  };
  const things: StoryThing[] = [];
  const groups: StoryGroup[] = [];
  const recordings: { file: string; recording: Recording }[] = [];
  const serials: { thing: string; port: string }[] = [];
  let twins = 0;
  let isPartial = false;
  for (const [i, entry] of story.fleet.entries()) {
    const tags = entry.tags ?? [];
    if ('twins' in entry) {
      const machine = open(['fleet', i, 'like'], () => openMachine(entry.like, at));
      const names = Array.from({ length: entry.twins }, (_, n) => `T-${String(twins + n + 1).padStart(3, '0')}`);
      twins += entry.twins;
      things.push(...names.map((name): StoryThing => ({ name, machine: machine?.name ?? entry.like, body: 'twins', tags })));
      if (!machine) continue;
      know(machine);
      const layout =
        entry.layout === undefined ? null : open(['fleet', i, 'layout'], () => openLayout(entry.layout ?? '', entry.twins, story, at));
      groups.push({ things: names, machine, wind: windSpecOf(story.wind, machine, series), ...(layout ? { layout } : {}) });
    } else if ('replay' in entry) {
      const file = at(entry.replay);
      const recording = open(['fleet', i, 'replay'], () => parseRecording(readAll(file), file, sensedMachines()));
      isPartial ||= recording === null;
      if (!recording) continue;
      recordings.push({ file, recording });
      const machine = recording.machine ?? SERIAL_MACHINE;
      know(machineNamed(machine));
      things.push(...recording.turbines.map(({ thing }): StoryThing => ({ name: thing, machine, body: 'replay', tags })));
    } else {
      know(machineNamed(SERIAL_MACHINE));
      things.push({ name: entry.thing, machine: SERIAL_MACHINE, body: entry.serial === 'emulated' ? 'emulated' : 'serial', tags });
      serials.push({ thing: entry.thing, port: entry.serial });
    }
  }
  const vocabulary: Vocabulary = {
    things,
    isPartial,
    machines: known,
    starters,
    models: [...new Set([...starters, ...(story.models ?? []).map(({ model }) => model)])],
    states: stateNames(turbineChart()),
  };
  refuseStory([...faults, ...faultsOf(story, vocabulary)], place);
  return { ...source, vocabulary, things, groups, recordings, serials };
}

/** What stands behind a serial line, and in a recording that does not say. */
const SERIAL_MACHINE = 'desk-turbine';

function wordsOf(machine: TwinMachine, manifests: readonly ModelManifest[]): MachineWords {
  const { channels, faults } = twinBacking({ things: [], rng: createRng(0), machine, wind: windOf(machine) });
  const features = manifests
    .filter((manifest) => manifest.machine === machine.name)
    .flatMap(({ signal }) => signal.features.map(({ name }) => name));
  return {
    isUtility: machine.kind === 'variable-speed',
    channels: channels.map(({ name }) => name),
    features: [...new Set(features)],
    faults: faults.catalogue,
  };
}

function openMachine(like: string, at: (file: string) => string): TwinMachine {
  if (!/\.ya?ml$/i.test(like)) return machineNamed(like);
  return parseMachine(readBounded(at(like)), at(like));
}

function openLayout(text: string, count: number, { seed }: Scenario, at: (file: string) => string): Layout {
  const layout = shapedLayout(text, count, createRng(seed).fork('layout')) ?? parseLayout(readBounded(at(text)), at(text));
  if (layout.xM.length !== count) throw new FileInvalid(`${text} has places for ${layout.xM.length} turbines, not for ${count}`);
  return layout;
}

function windSpecOf(wind: Wind | undefined, machine: TwinMachine, series: WindSeries | null): WindSpec {
  const { meanMps, turbulenceIntensity, directionDeg, events } = wind ?? {};
  return {
    ...windOf(machine),
    ...(meanMps === undefined ? {} : { meanMps }),
    ...(turbulenceIntensity === undefined ? {} : { turbulenceIntensity }),
    ...(directionDeg === undefined ? {} : { directionDeg }),
    ...(series ? { series } : {}),
    ...(events === undefined ? {} : { events: events.map(windEvent) }),
  };
}

const windEvent = (event: NonNullable<Wind['events']>[number]): WindEvent => {
  const at = parseDuration(event.at) ?? 0;
  return event.kind === 'gust' ? { kind: 'gust', at } : { kind: 'ramp', at, over: parseDuration(event.over) ?? 0, toMps: event.toMps };
};

/** `idle`, `inferring`, `inferring.healthy`, … */
const stateNames = (chart: Chart): readonly string[] => chart.states.flatMap((state) => [state.path, ...stateNames(state)]);

/** @throws FileInvalid when it cannot be read */
function readAll(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

const shortest = (file: string): string => {
  const near = relative(process.cwd(), file);
  return near.startsWith('..') || near === '' ? file : near;
};

/** What a story file is called in reports. */
export const storyName = (word: string): string => (isStoryFile(word) ? basename(word) : word);
