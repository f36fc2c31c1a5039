/** One turbine's actor with its update steps provided, watched for what the cloud and the event log want to know. */
import { type ActorRefFrom, type AnyActorRef, createActor, fromPromise } from 'xstate';
import type { TurbineCommand } from '../contracts/backing.ts';
import type { Clock } from '../contracts/clock.ts';
import type { ThingName } from '../contracts/ids.ts';
import type { DeviceJob, Found, Outcome } from '../ota/job.ts';
import { otaMachine } from '../ota/machine.ts';
import type { UpdateSteps } from '../ota/steps.ts';
import { stateName, turbineMachine } from '../turbine/machine.ts';

export interface DeviceOptions {
  readonly thing: ThingName;
  readonly clock: Clock;
  readonly steps: UpdateSteps;
  readonly command: (command: TurbineCommand) => void;
  readonly forgetVerdict: () => void;
  readonly askNextJob: () => void;
  /** At every change of state or of the update's stage. */
  readonly changed: (state: string, cause: string, update: string | null) => void;
  readonly died: (error: unknown) => void;
}

export function startDevice({ thing, clock, steps, command, forgetVerdict, askNextJob, changed, died }: DeviceOptions): AnyActorRef {
  const machine = turbineMachine.provide({ actors: { update: otaMachine.provide({ actors: updateActors(steps) }) } });
  const actor = createActor(machine, { clock, input: { thing, command, forgetVerdict, askNextJob } });
  let told = '';
  let watched: AnyActorRef | null = null;

  const tell = () => {
    const snapshot = actor.getSnapshot();
    const update = snapshot.children['update'] as ActorRefFrom<typeof otaMachine> | undefined;
    if (update && update !== watched) {
      watched = update;
      update.subscribe({ next: tell, error: () => {} }); // its error ends in the turbine's own transition
    }
    const stage = update && update.getSnapshot().status === 'active' ? String(update.getSnapshot().value) : null;
    const state = stateName(snapshot.value);
    if (told === `${state} ${stage}`) return;
    told = `${state} ${stage}`;
    changed(state, snapshot.context.cause, stage);
  };

  actor.subscribe({ next: tell, error: died }); // an actor without an observer of errors would end the process
  actor.start();
  tell();
  return actor;
}

/** The steps as the actors that the machine invokes. */
function updateActors(steps: UpdateSteps) {
  const step = (run: (job: DeviceJob, signal: AbortSignal) => Promise<void>) =>
    fromPromise<void, DeviceJob>(({ input, signal }) => run(input, signal));
  const ended = (run: (job: DeviceJob, outcome: Outcome) => Promise<void>) =>
    fromPromise<void, { job: DeviceJob; outcome: Outcome }>(({ input }) => run(input.job, input.outcome));
  return {
    accept: fromPromise<Found, DeviceJob>(({ input, signal }) => steps.accept(input, signal)),
    download: step(steps.download),
    verify: step(steps.verify),
    unpack: step(steps.unpack),
    load: step(steps.load),
    canary: step(steps.canary),
    commit: step(steps.commit),
    rollback: ended(steps.rollback),
    report: ended(steps.report),
  };
}
