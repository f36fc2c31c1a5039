/** What the page knows: the fleet as the stream tells it, a few minutes of it for the plots, and what has been chosen. */
import { computed, signal } from '@preact/signals';
import type { Deployment } from '../../../actors/contracts/deployments.ts';
import type { Alarm, TurbineView } from '../../../actors/contracts/fleet-view.ts';
import type { TransitionReport } from '../../../actors/contracts/telemetry.ts';
import type { TrainingReport } from '../../../actors/contracts/trainings.ts';
import { readingsOf } from './readings.ts';

/** One turbine's recent past: seconds and values, oldest first. */
export interface Trace {
  readonly at: number[];
  readonly rotor: (number | null)[];
  readonly wind: (number | null)[];
  readonly output: (number | null)[];
  readonly score: (number | null)[];
}

const KEPT = 240; // seconds

export const turbines = signal<ReadonlyMap<string, TurbineView>>(new Map());
export const alarms = signal<ReadonlyMap<string, Alarm>>(new Map());
export const transitions = signal<ReadonlyMap<string, readonly TransitionReport[]>>(new Map());
export const deployments = signal<readonly Deployment[]>([]);
/** Turbines whose model is installed and not yet accepted. */
export const probation = signal<ReadonlySet<string>>(new Set());
export const trainings = signal<readonly TrainingReport[]>([]);
export const isConnected = signal(false);
export const chosen = signal<string | null>(null);
/** Turns over with every batch of news, so that plots know when to draw. */
export const beat = signal(0);

export const fleet = computed(() => [...turbines.value.values()].sort((a, b) => (a.thing < b.thing ? -1 : 1)));
export const recentAlarms = computed(() => [...alarms.value.values()].sort((a, b) => b.at - a.at).slice(0, 50));

const traces = new Map<string, Trace>();

export function traceOf(thing: string): Trace {
  const trace = traces.get(thing) ?? { at: [], rotor: [], wind: [], output: [], score: [] };
  traces.set(thing, trace);
  return trace;
}

interface FleetNews {
  readonly turbines: readonly TurbineView[];
  readonly alarms: readonly Alarm[];
  readonly transitions: readonly { readonly thing: string; readonly transition: TransitionReport }[];
}

/** Listens for as long as the page is open; the browser reconnects by itself. */
export function listen(): void {
  const source = new EventSource('./api/stream');
  source.onopen = () => {
    isConnected.value = true;
    transitions.value = new Map(); // the stream begins with the whole of them
  };
  source.onerror = () => {
    isConnected.value = false;
  };
  source.addEventListener('fleet', ({ data }) => take(JSON.parse(data) as FleetNews));
  source.addEventListener('deployments', ({ data }) => {
    deployments.value = JSON.parse(data) as Deployment[];
  });
  source.addEventListener('probation', ({ data }) => {
    probation.value = new Set(JSON.parse(data) as string[]);
  });
  source.addEventListener('trainings', ({ data }) => {
    trainings.value = JSON.parse(data) as TrainingReport[];
  });
}

function take(news: FleetNews): void {
  const nextTurbines = new Map(turbines.value);
  for (const turbine of news.turbines) {
    nextTurbines.set(turbine.thing, turbine);
    remember(turbine);
  }
  turbines.value = nextTurbines;
  if (news.alarms.length > 0) alarms.value = new Map([...alarms.value, ...news.alarms.map((alarm) => [alarm.id, alarm] as const)]);
  if (news.transitions.length > 0) {
    const next = new Map(transitions.value);
    for (const { thing, transition } of news.transitions) next.set(thing, [...(next.get(thing) ?? []), transition].slice(-50));
    transitions.value = next;
  }
  chosen.value ??= fleet.value[0]?.thing ?? null;
  beat.value++;
}

function remember({ thing, updatedAt, channels, verdict }: TurbineView): void {
  const trace = traceOf(thing);
  const at = Math.round(updatedAt / 1_000);
  if (trace.at.at(-1) === at) return;
  trace.at.push(at);
  const { rotor, wind, output } = readingsOf({ channels });
  trace.rotor.push(channels[rotor.channel] ?? null);
  trace.wind.push(channels[wind.channel] ?? null);
  trace.output.push(channels[output.channel] ?? null);
  trace.score.push(verdict?.score ?? null);
  while (trace.at.length > KEPT) for (const column of [trace.at, trace.rotor, trace.wind, trace.output, trace.score]) column.shift();
}

/** Asks the console; its own words for what went wrong are thrown. */
export async function ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
  const response = await fetch(`.${path}`, {
    method,
    ...(method === 'GET' ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
  });
  const answer = (await response.json()) as T & { error?: { message: string; hint?: string } };
  if (response.ok) return answer;
  throw new Error([answer.error?.message ?? `status ${response.status}`, answer.error?.hint].filter(Boolean).join(' — '));
}
