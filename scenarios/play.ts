/** One story on a world of its own: opens it, plays it, writes what is to be kept of it, and closes it. It composes. */
import type { Log } from '../actors/contracts/log.ts';
import type { ShardUsage } from '../actors/contracts/shard.ts';
import { type Millis, parseDuration } from '../actors/contracts/units.ts';
import { wallClock } from '../physical/wall-clock.ts';
import { paceClock } from '../twins/time/pacer.ts';
import { VirtualClock } from '../twins/time/virtual-clock.ts';
import { createRunLog } from './digest.ts';
import type { Doors } from './doors.ts';
import type { LoadedStory } from './load.ts';
import { recordSeries } from './report/series.ts';
import type { ReportSeries } from './report/story-report.ts';
import { type Glance, type Played, playStory } from './run.ts';
import { openRunFolder, type RunFolder } from './run-folder.ts';
import { openStage } from './stage.ts';
import type { LaterThreshold } from './threshold.ts';
import { openUsual } from './usual-port.ts';

export interface PlayTools {
  readonly name: string;
  readonly log: Log;
  readonly until?: Millis | undefined;
  /** Simulated over wall time; absent: as fast as it goes, and no console. */
  readonly speed?: number | 'max' | undefined;
  /** Threads that run the twins' rows. */
  readonly workers?: number | undefined;
  /** Where the run is written; null: nowhere. */
  readonly folder: string | null;
  /** Whether measured quantities are kept for plots. */
  readonly keepSeries: boolean;
  /** A window is anomalous above this from that instant on, instead of above 1. */
  readonly threshold?: LaterThreshold | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report: (text: string) => void;
  /** Called again and again while it is played. */
  readonly progress?: ((now: Millis, end: Millis, look: () => Glance) => void) | undefined;
}

export interface PlayedRun extends Played {
  readonly wallSeconds: number;
  readonly windows: number;
  readonly workers: readonly ShardUsage[];
  readonly series: readonly ReportSeries[];
}

const HOST = '127.0.0.1';
const CONSOLE_PORT = 7070;
const SLICE_MS = 10_000; // of simulated time, between two looks at whether to end

/** Quantities that the report draws, of any machine's channels. */
const DRAWN = [
  { channel: 'rps', quantity: 'rotor speed', unit: '1/s' },
  { channel: 'wind_speed_rps', quantity: 'wind', unit: '1/s of the anemometer' },
  { channel: 'voltage', quantity: 'voltage', unit: 'mV' },
  { channel: 'rotorRpm', quantity: 'rotor speed', unit: 'rpm' },
  { channel: 'windMps', quantity: 'wind', unit: 'm/s' },
  { channel: 'powerKw', quantity: 'power', unit: 'kW' },
];

export async function playLoaded(loaded: LoadedStory, tools: PlayTools): Promise<PlayedRun> {
  const { story } = loaded;
  const { name, log, until, speed, workers, folder, signal, report, progress } = tools;
  const clock = new VirtualClock();
  const events = createRunLog({ keep: true });
  const wall = wallClock();
  const began = wall.now();
  const written = folder === null ? null : openRunFolder(folder, story);
  if (written) events.onAppend((event) => written.append(event));
  try {
    const stage = await openStage(loaded, { clock, log, events, isRealTime: speed === 1, workers, threshold: tools.threshold });
    let doors: Doors | null = null;
    try {
      if (speed !== undefined) {
        const { addressLines, openDoors } = await import('./doors.ts'); // a console's libraries take as long as a short story
        const { faults, site, cloud } = stage.world;
        doors = await openUsual(undefined, CONSOLE_PORT, log, (port) =>
          openDoors(cloud, { host: HOST, port, httpsPort: undefined, log, wall, faults, site }),
        );
        for (const line of [`watch ${name}; Ctrl-C ends it.`, ...addressLines(cloud, doors)]) report(line);
      }
      const things = stage.world.things;
      const listener = tools.keepSeries ? stage.world.broker.connect('windfleet-report') : null;
      const series =
        listener &&
        (await recordSeries(listener, { epoch: clock.epoch, end: until ?? parseDuration(story.duration)!, things, channels: DRAWN }));
      const ending = signal ?? new AbortController().signal;
      const played = await playStory(story, stage.stage, {
        ...(until === undefined ? {} : { until }),
        async advance(end, look) {
          const pace = (to: Millis) => paceClock(clock, wall, { speed: speed!, until: to, signal: ending });
          const go = speed === undefined ? (to: Millis) => clock.run(to) : pace;
          while (clock.now() < end && !ending.aborted) {
            await go(Math.min(end, clock.now() + SLICE_MS));
            progress?.(clock.now(), end, look);
          }
        },
      });
      const wallSeconds = (wall.now() - began) / 1_000;
      finish(written, played, { name, seed: story.seed, wallSeconds });
      const usage = await stage.world.workers();
      return {
        ...played,
        wallSeconds,
        windows: usage.reduce((sum, { windows }) => sum + windows, 0),
        workers: usage,
        series: series?.series() ?? [],
      };
    } finally {
      await doors?.close();
      await stage.close();
    }
  } catch (error) {
    written?.abandon();
    throw error;
  }
}

function finish(
  folder: RunFolder | null,
  { passed, digest, failures, facts }: Played,
  { name, seed, wallSeconds }: { readonly name: string; readonly seed: number; readonly wallSeconds: number },
): void {
  folder?.finish({
    name,
    seed,
    endMs: facts.end,
    digest,
    passed,
    failures: failures.map(({ wanted, got, at }) => ({ wanted, got, atMs: at })),
    wallSeconds,
    things: facts.things,
    steps: Object.fromEntries(facts.steps),
    targets: Object.fromEntries(facts.targets),
    jobs: Object.fromEntries(facts.jobs),
    messages: Object.fromEntries(facts.messages),
    energyJ: Object.fromEntries(facts.energyJ),
  });
}
