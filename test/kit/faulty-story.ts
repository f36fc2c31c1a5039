/** Stories of faults around bodies, and what of their runs tests look at. */
import type { FleetEvent } from '../../actors/contracts/log.ts';
import type { Scenario } from '../../scenarios/dsl.ts';
import type { StoryWorld } from '../../scenarios/stage.ts';
import { type PlayedStory, type PlayHereOptions, playHere } from './story.ts';

/** Five healthy desk turbines for four minutes, unless told otherwise. */
export const playFaults = (told: Partial<Scenario> & Pick<Scenario, 'timeline'>, options: PlayHereOptions = {}): Promise<PlayedStory> =>
  playHere(
    {
      about: 'faults around bodies',
      seed: 3,
      duration: '4m',
      fleet: [{ twins: 5, like: 'desk-turbine' }],
      wind: { meanMps: 1.6, turbulenceIntensity: 0.18 },
      expect: [],
      ...told,
    },
    options,
  );

export const eventsOf = ({ facts }: PlayedStory, kind: FleetEvent['kind'], of: string): FleetEvent[] =>
  facts.events.filter((event) => event.kind === kind && event.of === of);

/** From an instant on, simulated seconds. */
export const statesOf = (played: PlayedStory, thing: string, fromS = 0): string[] =>
  eventsOf(played, 'state', thing)
    .filter(({ at }) => at >= 1_000 * fromS)
    .map(({ what }) => String(what['to']));

/** Phases of the faults on a turbine or a service, with their instants in simulated seconds. */
export const livesOf = (played: PlayedStory, of: string): (readonly [phase: string, atS: number])[] =>
  eventsOf(played, 'fault', of).map(({ at, what }) => [String(what['phase']), at / 1_000] as const);

/** Names of faults that have been at work. */
export const atWork = ({ facts }: PlayedStory): string[] =>
  facts.events.flatMap(({ kind, what }) => (kind === 'fault' && what['phase'] === 'active' ? [String(what['fault'])] : []));

/** How a job ended, by turbine, with what the device said of it. */
export const endings = async ({ world }: StoryWorld) => {
  const [job] = await world.jobs.list();
  const executions = await world.jobs.executions(job.jobId);
  return new Map(executions.map(({ thing, status, statusDetails }) => [thing, `${status} ${statusDetails['info'] ?? ''}`]));
};
