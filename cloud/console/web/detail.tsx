/** The chosen turbine: its plots, its statechart with the state lit, the causes of its last transitions, and what can be done to it. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Chart } from '../../../actors/contracts/chart.ts';
import type { ActiveFault, FaultKind } from '../../../actors/contracts/faults.ts';
import type { TurbineView } from '../../../actors/contracts/fleet-view.ts';
import { say } from './notice.tsx';
import { Plot } from './plot.tsx';
import { readingsOf } from './readings.ts';
import { ask, transitions } from './store.ts';

const chart = signal<Chart | null>(null);
const faults = signal<{ readonly catalogue: readonly FaultKind[]; readonly active: readonly ActiveFault[] }>({ catalogue: [], active: [] });
const fault = signal('voltage-sag');
const severity = signal(0.5);

const refreshFaults = async () => {
  faults.value = await ask('GET', '/api/faults');
};

export function Detail({ turbine }: { readonly turbine: TurbineView }) {
  const { thing } = turbine;
  const { rotor, wind, output } = readingsOf(turbine);

  useEffect(() => {
    if (!chart.value)
      say(
        ask<Chart>('GET', '/api/chart').then((drawn) => {
          chart.value = drawn;
        }),
      );
    say(refreshFaults());
    say(ask('POST', `/api/turbines/${thing}/inspect`, { on: true }));
    return () => {
      ask('POST', `/api/turbines/${thing}/inspect`, { on: false }).catch(() => {}); // the farm may be gone; then so is the inspection
    };
  }, [thing]);

  return (
    <section class="panel detail" aria-label={`Turbine ${thing}`}>
      <header>
        <h2>{thing}</h2>
        <span class="quiet">
          {turbine.machine} · {turbine.backing} · {turbine.model ?? 'no model'}
        </span>
      </header>
      <Controls thing={thing} machine={turbine.machine} />
      <div class="plots">
        <Figure title={`Rotor speed, ${rotor.unit}`}>
          <Plot thing={thing} column="rotor" label="rotor speed" color="--series-1" height={130} isFull />
        </Figure>
        <Figure title={`Wind (anemometer), ${wind.unit}`}>
          <Plot thing={thing} column="wind" label="wind" color="--series-3" height={130} isFull />
        </Figure>
        <Figure title={`${output.label === 'power' ? 'Power' : 'Voltage'}, ${output.unit}`}>
          <Plot thing={thing} column="output" label={output.label} color="--series-2" height={130} isFull />
        </Figure>
        <Figure title="Error ratio (above 1 is anomalous)">
          <Plot thing={thing} column="score" label="error ratio" color="--series-4" height={130} isFull limit={1} />
        </Figure>
      </div>
      <div class="actor">
        <div>
          <h3>Statechart of its actor</h3>
          {chart.value && <Statechart chart={chart.value} state={turbine.state} />}
        </div>
        <Transitions thing={thing} />
      </div>
    </section>
  );
}

function Figure({ title, children }: { readonly title: string; readonly children: preact.ComponentChildren }) {
  return (
    <figure>
      <figcaption>{title}</figcaption>
      {children}
    </figure>
  );
}

function Controls({ thing, machine }: { readonly thing: string; readonly machine: string }) {
  const offered = faults.value.catalogue.filter(({ moves }) => moves === undefined || machine in moves);
  const mine = faults.value.active.filter((active) => active.thing === thing);
  const selected = offered.find(({ name }) => name === fault.value) ?? offered[0]; // another machine may not have the one chosen last
  const act = (work: Promise<unknown>, done: string) => say(work.then(refreshFaults), done);
  return (
    <div class="controls">
      <label>
        Fault
        <select
          data-testid="fault-select"
          value={selected?.name}
          onChange={(event) => {
            fault.value = event.currentTarget.value;
          }}
        >
          {offered.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Severity {severity.value.toFixed(2)}
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={severity.value}
          onInput={(event) => {
            severity.value = Number(event.currentTarget.value);
          }}
        />
      </label>
      <button
        type="button"
        class="danger"
        data-testid="inject-button"
        onClick={() =>
          act(
            ask('POST', `/api/turbines/${thing}/faults`, { fault: selected?.name, severity: severity.value }),
            `${selected?.name} is at work on ${thing}`,
          )
        }
      >
        Inject
      </button>
      <button
        type="button"
        data-testid="clear-button"
        disabled={mine.length === 0}
        onClick={() => act(ask('DELETE', `/api/turbines/${thing}/faults`), `${thing} is mended`)}
      >
        Mend{mine.length > 0 ? ` (${mine.map((active) => active.fault).join(', ')})` : ''}
      </button>
      <button
        type="button"
        data-testid="reset-button"
        onClick={() => act(ask('POST', `/api/turbines/${thing}/commands`, { command: 'reset' }), `${thing} is reset`)}
      >
        Reset
      </button>
      <p class="quiet">{selected?.about}</p>
    </div>
  );
}

/** Nested boxes, a box a state; the one that the actor is in is lit. */
function Statechart({ chart: root, state }: { readonly chart: Chart; readonly state: string }) {
  return (
    <div class="statechart" data-testid="statechart" data-state={state}>
      {root.states.map((node) => (
        <StateBox key={node.path} node={node} state={state} />
      ))}
    </div>
  );
}

function StateBox({ node, state }: { readonly node: Chart; readonly state: string }) {
  const isActive = state === node.path || state.startsWith(`${node.path}.`);
  const leaving = node.transitions.filter(({ target }) => target !== null);
  return (
    <div
      class={`state ${isActive ? 'lit' : ''}`}
      aria-current={isActive ? 'true' : undefined}
      title={leaving.map(({ event, guard, target }) => `${event}${guard ? ` [${guard}]` : ''} → ${target}`).join('\n')}
    >
      <span>{node.name}</span>
      {node.states.length > 0 && (
        <div class="inner">
          {node.states.map((child) => (
            <StateBox key={child.path} node={child} state={state} />
          ))}
        </div>
      )}
    </div>
  );
}

function Transitions({ thing }: { readonly thing: string }) {
  const last = [...(transitions.value.get(thing) ?? [])].reverse().slice(0, 8);
  return (
    <div>
      <h3>Last transitions</h3>
      {last.length === 0 ? (
        <p class="quiet">None since it is being looked at.</p>
      ) : (
        <ol class="transitions" data-testid="transitions">
          {last.map(({ at, from, to, event }) => (
            <li key={`${at} ${to}`}>
              <time>{new Date(at).toLocaleTimeString()}</time> {from} → <b>{to}</b>
              <small>{event}</small>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
