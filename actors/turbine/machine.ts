/**
 * The life of one turbine, whatever body it has.
 *
 *   idle ◀─still─ spinning ──model + full window──▶ inferring(healthy ⇄ suspect) ──patience──▶ faulted(tripped)
 *    every state but a fault ──job──▶ updating-model(update ∥ watch) ──▶ idle, and from there where the facts say
 *    faulted(tripped, stuck) ──job──▶ updating-model; one that has tripped is tripped there too, and back in its fault when it is done
 *
 * It hears of changes only, never of samples. Whatever it hears is remembered in any state and acted on when the state allows:
 * a job told while another runs, a body lost in the middle of an update, an anomaly found during one.
 */
import { assign, setup, stateIn } from 'xstate';
import type { TurbineCommand } from '../contracts/backing.ts';
import type { ModelId, ThingName } from '../contracts/ids.ts';
import type { Verdict } from '../contracts/verdict.ts';
import type { DeviceJob } from '../ota/job.ts';
import { otaMachine } from '../ota/machine.ts';
import { eventName } from './event-name.ts';

export type TurbineEvent =
  | { type: 'rotor.turning' }
  | { type: 'rotor.still' }
  | { type: 'model.ready'; model: ModelId }
  | { type: 'model.lost'; cause: string }
  | { type: 'window.filled' }
  | { type: 'window.broken' }
  | { type: 'verdict.changed'; verdict: Verdict }
  | { type: 'job.notify'; job: DeviceJob }
  | { type: 'backing.lost'; cause: string }
  | { type: 'backing.ready' }
  | { type: 'actor.quarantined'; cause: string }
  | { type: 'operator.start' }
  | { type: 'operator.stop' }
  | { type: 'operator.derate'; fraction: number }
  | { type: 'operator.reset' };

export interface TurbineInput {
  readonly thing: ThingName;
  /** To the body; takes effect at its next tick. */
  readonly command: (command: TurbineCommand) => void;
  /** The standing verdict is void: an operator has cleared it. */
  readonly forgetVerdict: () => void;
  /** Asks the job service for the next job, so that a lost notification costs nothing. */
  readonly askNextJob: () => void;
}

interface TurbineContext extends TurbineInput {
  readonly body: boolean;
  readonly turning: boolean;
  readonly filled: boolean;
  readonly model: ModelId | null;
  readonly verdict: Verdict | null;
  readonly job: DeviceJob | null; // runs, or ran last
  readonly next: DeviceJob | null; // told meanwhile
  /** The event that led to the state as it is. */
  readonly cause: string;
}

export const turbineMachine = setup({
  types: { input: {} as TurbineInput, context: {} as TurbineContext, events: {} as TurbineEvent },
  actors: { update: otaMachine },
  delays: { patience: 30_000 }, // ms
  guards: {
    isLost: ({ context }) => !context.body,
    hasBody: ({ context }) => context.body,
    isStill: ({ context }) => !context.turning,
    isTurning: ({ context }) => context.turning,
    canInfer: ({ context }) => context.model !== null && context.filled,
    cannotInfer: ({ context }) => context.model === null || !context.filled,
    hasJob: ({ context }) => context.next !== null,
    isNews: ({ context, event }) =>
      event.type === 'job.notify' && (event.job.jobId !== context.job?.jobId || event.job.executionNumber !== context.job.executionNumber),
    isAnomalous: ({ context }) => context.verdict?.anomalous ?? false,
    isHealthy: ({ context }) => !(context.verdict?.anomalous ?? false),
    isTripped: stateIn({ 'updating-model': 'tripped' }),
  },
  actions: {
    because: assign(({ event }) => ({ cause: eventName(event.type) })),
    know: assign((_, facts: Partial<TurbineContext>) => facts),
    rememberModel: assign(({ context, event }) => (event.type === 'model.ready' ? { model: event.model, verdict: null } : context)),
    rememberVerdict: assign(({ context, event }) => (event.type === 'verdict.changed' ? { verdict: event.verdict } : context)),
    rememberJob: assign(({ context, event }) => (event.type === 'job.notify' ? { next: event.job } : context)),
    takeJob: assign(({ context }) => ({ job: context.next, next: null })),
    command: ({ context }, command: TurbineCommand) => context.command(command),
    derate: ({ context, event }) => {
      if (event.type === 'operator.derate') context.command({ type: 'derate', fraction: event.fraction });
    },
    forgetVerdict: ({ context }) => context.forgetVerdict(),
    askNextJob: ({ context }) => context.askNextJob(),
  },
}).createMachine({
  id: 'turbine',
  context: ({ input }) => ({
    ...input,
    body: true,
    turning: false,
    filled: false,
    model: null,
    verdict: null,
    job: null,
    next: null,
    cause: 'start',
  }),
  initial: 'idle',
  on: {
    'rotor.turning': { actions: { type: 'know', params: { turning: true } } },
    'rotor.still': { actions: { type: 'know', params: { turning: false } } },
    'window.filled': { actions: { type: 'know', params: { filled: true } } },
    'window.broken': { actions: { type: 'know', params: { filled: false } } },
    'model.ready': { actions: 'rememberModel' }, // the old model's verdict does not bind the new one
    'model.lost': { actions: { type: 'know', params: { model: null, verdict: null } } },
    'verdict.changed': { actions: 'rememberVerdict' },
    'job.notify': { guard: 'isNews', actions: 'rememberJob' },
    'backing.lost': { actions: { type: 'know', params: { body: false, filled: false } } },
    'backing.ready': { actions: { type: 'know', params: { body: true } } },
    'actor.quarantined': { target: '.faulted.quarantined' },
    'operator.start': { actions: { type: 'command', params: { type: 'start' } } },
    'operator.stop': { actions: { type: 'command', params: { type: 'stop' } } },
    'operator.derate': { actions: 'derate' },
    // Without a trip a reset still clears the standing verdict: the operator has looked.
    'operator.reset': { actions: ['forgetVerdict', { type: 'know', params: { verdict: null } }] },
  },
  states: {
    idle: {
      entry: 'because',
      always: [
        { guard: 'isLost', target: 'faulted.lost' },
        { guard: 'hasJob', target: 'updating-model' },
        { guard: 'isTurning', target: 'spinning' },
      ],
    },
    spinning: {
      entry: 'because',
      always: [
        { guard: 'isLost', target: 'faulted.lost' },
        { guard: 'hasJob', target: 'updating-model' },
        { guard: 'isStill', target: 'idle' },
        { guard: 'canInfer', target: 'inferring' },
      ],
    },
    inferring: {
      initial: 'healthy',
      always: [
        { guard: 'isLost', target: 'faulted.lost' },
        { guard: 'hasJob', target: 'updating-model' },
        { guard: 'isStill', target: 'idle' },
        { guard: 'cannotInfer', target: 'spinning' },
      ],
      states: {
        healthy: {
          entry: ['because', { type: 'command', params: { type: 'derate', fraction: 1 } }],
          always: { guard: 'isAnomalous', target: 'suspect' },
        },
        suspect: {
          entry: ['because', { type: 'command', params: { type: 'derate', fraction: 0.5 } }],
          always: { guard: 'isHealthy', target: 'healthy' },
          after: { patience: '#turbine.faulted.tripped' },
        },
      },
    },
    'updating-model': {
      entry: 'takeJob',
      exit: 'askNextJob',
      invoke: {
        id: 'update',
        src: 'update',
        input: ({ context }) => ({ job: context.job! }),
        onDone: [{ guard: 'isTripped', target: 'faulted.tripped' }, { target: 'idle' }],
        onError: 'faulted.stuck',
      },
      initial: 'healthy',
      states: {
        // the old model goes on judging, and protection does not wait for the update
        healthy: { entry: 'because', always: { guard: 'isAnomalous', target: 'suspect' } },
        suspect: {
          entry: ['because', { type: 'command', params: { type: 'derate', fraction: 0.5 } }],
          always: { guard: 'isHealthy', target: 'healthy' },
          after: { patience: 'tripped' },
        },
        tripped: {
          entry: ['because', { type: 'command', params: { type: 'stop' } }],
          on: {
            'operator.reset': {
              target: 'healthy',
              actions: ['forgetVerdict', { type: 'know', params: { verdict: null } }, { type: 'command', params: { type: 'start' } }],
            },
          },
        },
      },
    },
    faulted: {
      initial: 'lost',
      states: {
        lost: { entry: 'because', always: { guard: 'hasBody', target: '#turbine.idle' } },
        tripped: {
          entry: ['because', { type: 'command', params: { type: 'stop' } }],
          always: { guard: 'hasJob', target: '#turbine.updating-model.tripped' }, // what tripped it may be the model; it stands until an operator resets it
        },
        quarantined: { entry: 'because' },
        stuck: { entry: 'because', always: { guard: 'hasJob', target: '#turbine.updating-model' } }, // a new model is the cure
      },
      on: {
        'operator.start': {}, // a trip is cleared by a reset, not by a start
        'operator.reset': {
          target: 'idle',
          actions: ['forgetVerdict', { type: 'know', params: { verdict: null } }, { type: 'command', params: { type: 'start' } }],
        },
      },
    },
  },
});

/** `idle`, `inferring.suspect`, `faulted.tripped`, …: a state's value as one word. */
export function stateName(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[parent, child]] = Object.entries(value as Record<string, unknown>);
  const inner = stateName(child);
  return inner === '' ? parent : `${parent}.${inner}`;
}
