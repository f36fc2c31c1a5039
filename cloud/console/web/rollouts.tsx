/** Models and how they reach the turbines: a form to deploy, and every deployment with its turbines. */
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Deployment, GateMeasure, HealReport, RolloutReport } from '../../../actors/contracts/deployments.ts';
import type { JobExecution } from '../../../actors/contracts/jobs.ts';
import { say } from './notice.tsx';
import { ask, deployments, fleet } from './store.ts';

const models = signal<readonly { readonly name: string; readonly version: string }[]>([]);
/** What the farm's turbines run comes first: a model of another machine is of no use to them. */
const offered = computed(() => {
  const running = new Set(fleet.value.map(({ model }) => model?.split('@')[0]));
  const rank = ({ name }: { readonly name: string }) => (running.has(name) ? 0 : 1);
  return models.value.toSorted((a, b) => rank(a) - rank(b)).map(({ name, version }) => `${name}@${version}`);
});
const chosen = signal('');
const waves = signal('');
const soak = signal('');
const model = computed(() => chosen.value || (offered.value[0] ?? ''));

export function Rollouts() {
  useEffect(() => {
    say(
      ask<typeof models.value>('GET', '/api/models').then((list) => {
        models.value = list;
      }),
    );
  }, []);

  return (
    <section class="panel" aria-label="Models and updates">
      <header>
        <h2>Updates</h2>
      </header>
      <div class="controls">
        <label>
          Model
          <select
            data-testid="model-select"
            value={model.value}
            onChange={(event) => {
              chosen.value = event.currentTarget.value;
            }}
          >
            {offered.value.map((id) => (
              <option key={id} value={id}>
                {id}
              </option>
            ))}
          </select>
        </label>
        <label>
          Waves
          <input
            data-testid="waves"
            value={waves.value}
            placeholder="10%,50%,100%"
            size={14}
            onInput={(event) => {
              waves.value = event.currentTarget.value;
            }}
          />
        </label>
        <label>
          Soak
          <input
            data-testid="soak"
            value={soak.value}
            placeholder="1m"
            size={5}
            onInput={(event) => {
              soak.value = event.currentTarget.value;
            }}
          />
        </label>
        <button
          type="button"
          class="primary"
          data-testid="deploy-button"
          disabled={model.value === ''}
          onClick={() =>
            say(
              ask('POST', '/api/deployments', { model: model.value, to: 'farm', ...wishes() }),
              `${model.value} is on its way to the farm`,
            )
          }
        >
          Deploy to the farm
        </button>
      </div>
      {deployments.value.length === 0 && <p class="quiet">No update yet.</p>}
      {deployments.value.map((deployment) => (
        <Job key={deployment.id} deployment={deployment} />
      ))}
    </section>
  );
}

/** What is said of the plan; the rest is as usual. */
const wishes = () => ({
  ...(waves.value.trim() === '' ? {} : { waves: waves.value }),
  ...(soak.value.trim() === '' ? {} : { soak: soak.value.trim() }),
});

const STAGES = ['downloading', 'verifying', 'unpacking', 'loading', 'canary', 'committing'];

/** How far an execution is, 0..1. */
function share({ status, statusDetails }: JobExecution): number {
  if (status === 'QUEUED') return 0;
  return status === 'IN_PROGRESS' ? (STAGES.indexOf(statusDetails['stage'] ?? '') + 1) / (STAGES.length + 1) : 1;
}

/** A stage while it is updated; how that ended; and whether it went back since. */
function wordOf({ thing, status, statusDetails }: JobExecution, heal: HealReport | null): string | undefined {
  if (heal?.back.includes(thing)) return 'went back';
  if (heal?.waiting.includes(thing)) return 'goes back';
  if (heal?.left.some((one) => one.thing === thing)) return 'not back';
  return status === 'IN_PROGRESS' ? statusDetails['stage'] : status.toLowerCase().replace('_', ' ');
}

function Job({ deployment }: { readonly deployment: Deployment }) {
  const { id, model: brought, status, counts, executions, rollout } = deployment;
  return (
    <div class="job" data-testid="job-row" data-status={status}>
      <div class="job-head">
        <strong>{brought}</strong>
        <span class={`badge ${status.toLowerCase()}`}>{status}</span>
      </div>
      <small class="quiet">{id}</small>
      {rollout && <Orders id={id} status={status} isSettled={rollout.isSettled} hasUpdated={counts.SUCCEEDED > 0} />}
      {rollout && (rollout.waves.length > 1 || status !== 'SUCCEEDED') && <p class="reason">{rollout.reason}</p>}
      {rollout && rollout.waves.length > 1 && <Waves rollout={rollout} />}
      {rollout && <Standing rollout={rollout} />}
      <Refusals executions={executions} />
      <details open={!rollout?.isSettled}>
        <summary class="quiet">
          {executions.length} {executions.length === 1 ? 'turbine' : 'turbines'}
        </summary>
        <ul>
          {executions.map((execution) => (
            <li key={execution.thing} data-testid="execution" data-status={execution.status} title={execution.statusDetails['info']}>
              <span>{execution.thing}</span>
              <progress
                max={1}
                value={share(execution)}
                class={execution.status.toLowerCase()}
                aria-label={`update of ${execution.thing}`}
              />
              <span class="quiet">{wordOf(execution, rollout?.heal ?? null)}</span>
            </li>
          ))}
        </ul>
      </details>
    </div>
  );
}

const ORDERS = [
  { order: 'pause', text: 'Pause', done: 'no wave begins until it is resumed' },
  { order: 'resume', text: 'Resume', done: 'it goes on' },
  { order: 'abort', text: 'Abort', done: 'it has ended; what is updated stays' },
  { order: 'rollback', text: 'Roll back', done: 'what is updated goes back' },
] as const;

interface OrdersOf {
  readonly id: string;
  readonly status: Deployment['status'];
  readonly isSettled: boolean;
  readonly hasUpdated: boolean;
}

function Orders({ id, status, isSettled, hasUpdated }: OrdersOf) {
  const isOpen = {
    pause: status === 'IN_PROGRESS',
    resume: status === 'PAUSED',
    abort: status === 'IN_PROGRESS' || status === 'PAUSED',
    rollback:
      status !== 'HALTED' && status !== 'ROLLED_BACK' && ((isSettled && hasUpdated) || status === 'IN_PROGRESS' || status === 'PAUSED'),
  };
  return (
    <div class="orders">
      {ORDERS.filter(({ order }) => isOpen[order]).map(({ order, text, done }) => (
        <button
          type="button"
          key={order}
          data-testid={`rollout-${order}`}
          onClick={() => say(ask('POST', `/api/deployments/${encodeURIComponent(id)}/${order}`), `${id}: ${done}`)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

/** Installed is what devices say; accepted is what the fleet has shown since. */
function Standing({ rollout: { accepted, onProbation } }: { readonly rollout: RolloutReport }) {
  const installed = accepted.length + onProbation.length;
  if (installed === 0) return null;
  return (
    <p class="quiet" data-testid="standing">
      Installed {installed}, accepted {accepted.length}
      {onProbation.length > 0 && (
        <em class="probation" title={onProbation.join(', ')}>
          {onProbation.length} on probation
        </em>
      )}
    </p>
  );
}

/** Why turbines did not take it: a reason a line, with its code. */
function Refusals({ executions }: { readonly executions: readonly JobExecution[] }) {
  const reasons = new Map<string, string[]>();
  for (const { thing, status, statusDetails } of executions) {
    if (status !== 'FAILED' && status !== 'REJECTED' && status !== 'TIMED_OUT') continue;
    const reason = [statusDetails['code'], statusDetails['info'] ?? status.toLowerCase()].filter(Boolean).join(': ');
    reasons.set(reason, [...(reasons.get(reason) ?? []), thing]);
  }
  return (
    <>
      {[...reasons].map(([reason, things]) => (
        <p key={reason} class="refusal" data-testid="refusal">
          <strong>{things.join(', ')}</strong> {reason}
        </p>
      ))}
    </>
  );
}

const percent = (share: number) => `${Math.round(100 * share)} %`;

function Waves({ rollout: { waves, bench, heal, exposureMinutes, plan, seed } }: { readonly rollout: RolloutReport }) {
  return (
    <div class="waves">
      {bench && (
        <p class="quiet">
          On twins: {percent(bench.newRecall)} of {bench.faults} known faults found, the old model {percent(bench.oldRecall)}
        </p>
      )}
      {waves.map(({ things, status, gate }, i) => (
        <div key={things[0]} class="wave" data-testid="wave" data-status={status}>
          <span>
            Wave {i + 1}: {things.length} {things.length === 1 ? 'turbine' : 'turbines'}
          </span>
          {gate?.decision === 'halt' ? (
            <span class="badge halted">halted</span>
          ) : (
            <span class={`badge ${status === 'DONE' ? 'succeeded' : status === 'PENDING' ? '' : 'in_progress'}`}>
              {status.toLowerCase()}
            </span>
          )}
          {gate && (
            <ul class="gate" data-testid="gate" data-decision={gate.decision} title={gate.words}>
              {gate.measures.map((measure) => (
                <Measure key={measure.name} measure={measure} />
              ))}
            </ul>
          )}
        </div>
      ))}
      <p class="quiet">
        Exposure {exposureMinutes} turbine-minutes; the gate wants {plan.minWindows} windows of a turbine and waits{' '}
        {Math.round(plan.longestWait / 60_000)} min at most
        {heal && heal.jobs.length > 0 && `; back: ${heal.back.length}, on the way ${heal.waiting.length}, not back ${heal.left.length}`}
        {` · seed ${seed}`}
      </p>
    </div>
  );
}

/** Between nothing and what is tolerated, where the effect is and how sure that is. */
function Measure({ measure: { name, effect, standardError, promotes, decision, words } }: { readonly measure: GateMeasure }) {
  const place = (value: number) => `${Math.max(0, Math.min(100, (50 * value) / promotes + 50))}%`;
  const error = standardError ?? promotes;
  return (
    <li class={decision} title={words}>
      <span>{name}</span>
      <span class="scale">
        <i class="interval" style={{ left: place(effect - 2 * error), right: `calc(100% - ${place(effect + 2 * error)})` }} />
        <i class="effect" style={{ left: place(effect) }} />
      </span>
      <span class="quiet">{decision}</span>
    </li>
  );
}
