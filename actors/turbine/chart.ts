/** The turbine's statechart as plain data and as a table, made from the machine itself. */
import type { Chart, ChartTransition } from '../contracts/chart.ts';
import { eventName } from './event-name.ts';
import { turbineMachine } from './machine.ts';

type Node = (typeof turbineMachine)['root'];
type Transition = Node['always'] extends (infer T)[] | undefined ? T : never;

export const turbineChart = (): Chart => chartOf(turbineMachine.root as Node);

function chartOf(node: Node): Chart {
  const path = node.path.join('.');
  const transitions = [...(node.always ?? []), ...[...node.transitions.values()].flat()] as Transition[];
  const [initial] = node.initial?.target ?? [];
  return {
    name: node.key,
    path,
    initial: initial ? initial.path.join('.') : null,
    states: Object.values(node.states).map((child) => chartOf(child as Node)),
    transitions: transitions.map(describe),
  };
}

function describe(transition: Transition): ChartTransition {
  const [target] = transition.target ?? [];
  return { event: eventName(transition.eventType), guard: guardName(transition.guard), target: target ? target.path.join('.') : null };
}

function guardName(guard: unknown): string | null {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  return guard ? 'condition' : null;
}

/** A Markdown table of every transition that leads to another state: the README's. */
export function transitionTable(chart: Chart = turbineChart()): string {
  const rows = (node: Chart): string[] => [
    ...node.transitions
      .filter(({ target }) => target !== null)
      .map(({ event, guard, target }) => `| ${node.path || 'any'} | ${event} | ${guard ?? ''} | ${target} |`),
    ...node.states.flatMap(rows),
  ];
  return ['| state | event | guard | next |', '|---|---|---|---|', ...rows(chart)].join('\n');
}
