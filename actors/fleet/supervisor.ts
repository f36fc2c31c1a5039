/**
 * The table of root actors, and what happens when one dies: a restart with growing patience, at most three in a minute, then
 * quarantine, visible and for an operator to reset.
 *
 * Turbines are root actors and no children of one machine: spawning many below one parent is quadratic, and a child's error would
 * end its siblings.
 */
import type { AnyActorRef, EventFromLogic } from 'xstate';
import type { Clock } from '../contracts/clock.ts';
import { reasonOf } from '../contracts/errors.ts';
import type { ThingName } from '../contracts/ids.ts';
import type { Log } from '../contracts/log.ts';
import type { turbineMachine } from '../turbine/machine.ts';

type TurbineEvent = EventFromLogic<typeof turbineMachine>;

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Makes and starts a turbine's actor; `died` must be told when it errs. Facts that it lost are told to it again by the caller. */
  readonly spawn: (thing: ThingName, died: (error: unknown) => void) => AnyActorRef;
}

export interface Supervisor {
  add(thing: ThingName): void;
  /** To a turbine that is being restarted, events are lost: its next actor is told the facts anew. */
  send(thing: ThingName, event: TurbineEvent): void;
  actor(thing: ThingName): AnyActorRef | null;
  /** Ends a turbine's actor as a power cut does: nothing is said, and nothing restarts it but `add`. */
  remove(thing: ThingName): void;
  stop(): void;
}

const RESTARTS = 3;
const PERIOD_MS = 60_000;
const FIRST_DELAY_MS = 1_000;

export function supervisor({ clock, log, spawn }: SupervisorOptions): Supervisor {
  const actors = new Map<ThingName, AnyActorRef>();
  const deaths = new Map<ThingName, number[]>();
  const restarts = new Map<ThingName, number>(); // timers
  let stopped = false;

  const start = (thing: ThingName, quarantine: string | null) => {
    const actor = spawn(thing, (error) => onDeath(thing, error));
    actors.set(thing, actor);
    if (quarantine !== null) actor.send({ type: 'actor.quarantined', cause: quarantine });
  };

  const onDeath = (thing: ThingName, error: unknown) => {
    if (stopped || !actors.delete(thing)) return;
    const recent = [...(deaths.get(thing) ?? []).filter((at) => clock.now() - at < PERIOD_MS), clock.now()];
    deaths.set(thing, recent);
    const cause = reasonOf(error);
    if (recent.length > RESTARTS) {
      log.error({ thing, cause }, 'a turbine’s actor keeps failing: quarantined');
      restarts.set(
        thing,
        clock.setTimeout(() => start(thing, cause), 0),
      );
      return;
    }
    const delayMs = FIRST_DELAY_MS * 2 ** (recent.length - 1);
    log.error({ thing, cause, delayMs }, 'a turbine’s actor failed and will be restarted');
    const restart = () => {
      if (!stopped) start(thing, null);
    };
    restarts.set(thing, clock.setTimeout(restart, delayMs));
  };

  return {
    add: (thing) => start(thing, null),
    send: (thing, event) => actors.get(thing)?.send(event),
    actor: (thing) => actors.get(thing) ?? null,
    remove(thing) {
      clock.clearTimeout(restarts.get(thing) ?? 0);
      const actor = actors.get(thing);
      actors.delete(thing);
      actor?.stop();
    },
    stop() {
      stopped = true;
      for (const actor of actors.values()) actor.stop();
      actors.clear();
    },
  };
}
