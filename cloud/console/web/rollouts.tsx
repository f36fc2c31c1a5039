/** Models and how they reach the turbines: a form to deploy, and every deployment with its turbines. */
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Deployment } from '../../../actors/contracts/deployments.ts';
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
        <button
          type="button"
          class="primary"
          data-testid="deploy-button"
          disabled={model.value === ''}
          onClick={() =>
            say(ask('POST', '/api/deployments', { model: model.value, to: 'farm' }), `${model.value} is on its way to the farm`)
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

const STAGES = ['downloading', 'verifying', 'unpacking', 'loading', 'canary', 'committing'];

/** How far an execution is, 0..1. */
function share({ status, statusDetails }: JobExecution): number {
  if (status === 'QUEUED') return 0;
  return status === 'IN_PROGRESS' ? (STAGES.indexOf(statusDetails['stage'] ?? '') + 1) / (STAGES.length + 1) : 1;
}

function Job({ deployment: { id, model: brought, status, executions } }: { readonly deployment: Deployment }) {
  return (
    <div class="job" data-testid="job-row" data-status={status}>
      <div class="job-head">
        <strong>{brought}</strong>
        <span class={`badge ${status.toLowerCase()}`}>{status}</span>
      </div>
      <small class="quiet">{id}</small>
      <ul>
        {executions.map((execution) => (
          <li key={execution.thing} data-testid="execution" data-status={execution.status} title={execution.statusDetails['info']}>
            <span>{execution.thing}</span>
            <progress max={1} value={share(execution)} class={execution.status.toLowerCase()} aria-label={`update of ${execution.thing}`} />
            <span class="quiet">
              {execution.status === 'IN_PROGRESS' ? execution.statusDetails['stage'] : execution.status.toLowerCase()}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
