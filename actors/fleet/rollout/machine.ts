/**
 * The life of a rollout. It has no timers and no effects: the runner tells it what has come true, writes down where it stands, and acts.
 *
 *   waiting ──opened──▶ updating ──updated──▶ soaking ──promoted──▶ waiting …        paused: from any of the three, and back
 *      │                   ├──finished──▶ succeeded | failed          │
 *      └───────────────────┴────────halted────────▶ halting ──healed──▶ halted
 *                          rolledBack (any time) ──▶ rollingBack ──healed──▶ rolledBack         canceled
 */
import { assign, setup, transition } from 'xstate';
import type { DeploymentStatus } from '../../contracts/deployments.ts';

export interface RolloutContext {
  /** Index of the wave that is under way. */
  readonly wave: number;
  readonly reason: string;
  /** Where a paused one goes on. */
  readonly pausedIn: 'waiting' | 'updating' | 'soaking';
}

export type RolloutEvent =
  | { readonly type: 'opened' | 'updated' | 'promoted' | 'healed'; readonly reason: string }
  | { readonly type: 'finished'; readonly reason: string; readonly isWhole: boolean }
  | { readonly type: 'halted' | 'paused' | 'resumed' | 'canceled' | 'rolledBack'; readonly reason: string };

export type RolloutState =
  | 'waiting'
  | 'updating'
  | 'soaking'
  | 'paused'
  | 'succeeded'
  | 'failed'
  | 'halting'
  | 'halted'
  | 'canceled'
  | 'rollingBack'
  | 'rolledBack';

/** Where it stands, as it is written down. */
export interface RolloutStand {
  readonly state: RolloutState;
  readonly context: RolloutContext;
}

const note = { type: 'note', params: ({ event }: { event: RolloutEvent }) => event.reason } as const;
const ends = {
  halted: { target: 'halting', actions: note },
  canceled: { target: 'canceled', actions: note },
  rolledBack: { target: 'rollingBack', actions: note },
} as const;
const pausing = (where: RolloutContext['pausedIn']) => ({ target: 'paused', actions: [note, { type: 'pauseIn', params: where }] }) as const;

const machine = setup({
  types: { context: {} as RolloutContext, events: {} as RolloutEvent },
  guards: {
    isWhole: ({ event }) => event.type === 'finished' && event.isWhole,
    wasUpdating: ({ context }) => context.pausedIn === 'updating',
    wasSoaking: ({ context }) => context.pausedIn === 'soaking',
  },
  actions: {
    note: assign({ reason: (_, reason: string) => reason }),
    nextWave: assign({ wave: ({ context }) => context.wave + 1 }),
    pauseIn: assign({ pausedIn: (_, where: RolloutContext['pausedIn']) => where }),
  },
}).createMachine({
  id: 'rollout',
  context: { wave: 0, reason: '', pausedIn: 'waiting' },
  initial: 'waiting',
  states: {
    waiting: { on: { opened: { target: 'updating', actions: note }, paused: pausing('waiting'), ...ends } },
    updating: {
      on: {
        updated: { target: 'soaking', actions: note },
        finished: [
          { guard: 'isWhole', target: 'succeeded', actions: note },
          { target: 'failed', actions: note },
        ],
        paused: pausing('updating'),
        ...ends,
      },
    },
    soaking: { on: { promoted: { target: 'waiting', actions: [note, 'nextWave'] }, paused: pausing('soaking'), ...ends } },
    paused: {
      on: {
        resumed: [
          { guard: 'wasUpdating', target: 'updating', actions: note },
          { guard: 'wasSoaking', target: 'soaking', actions: note },
          { target: 'waiting', actions: note },
        ],
        ...ends,
      },
    },
    halting: { on: { healed: { target: 'halted', actions: note } } },
    rollingBack: { on: { healed: { target: 'rolledBack', actions: note } } },
    succeeded: { on: { rolledBack: ends.rolledBack } },
    failed: { on: { rolledBack: ends.rolledBack } },
    canceled: { on: { rolledBack: ends.rolledBack } },
    halted: {},
    rolledBack: {},
  },
});

export const BEGINNING: RolloutStand = { state: 'waiting', context: { wave: 0, reason: '', pausedIn: 'waiting' } };

/** @returns where it stands then; null when the event means nothing there */
export function nextStand({ state, context }: RolloutStand, event: RolloutEvent): RolloutStand | null {
  const before = machine.resolveState({ value: state, context });
  if (!before.can(event)) return null;
  const [after] = transition(machine, before, event);
  return { state: after.value, context: after.context };
}

const STATUS: Readonly<Record<RolloutState, DeploymentStatus>> = {
  waiting: 'IN_PROGRESS',
  updating: 'IN_PROGRESS',
  soaking: 'IN_PROGRESS',
  paused: 'PAUSED',
  succeeded: 'SUCCEEDED',
  failed: 'FAILED',
  halting: 'HALTED',
  halted: 'HALTED',
  canceled: 'CANCELED',
  rollingBack: 'ROLLED_BACK',
  rolledBack: 'ROLLED_BACK',
};

export const statusOf = ({ state }: RolloutStand): DeploymentStatus => STATUS[state];

/** Whether it still does something by itself. */
export const isUnderWay = ({ state }: RolloutStand): boolean =>
  state === 'waiting' ||
  state === 'updating' ||
  state === 'soaking' ||
  state === 'paused' ||
  state === 'halting' ||
  state === 'rollingBack';
