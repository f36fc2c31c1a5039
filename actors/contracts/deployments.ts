/** A model brought to a group of turbines: a rollout. Issue by issue it learns waves and gates; its door stays. */
import type { ModelId } from './ids.ts';
import type { JobCounts, JobExecution } from './jobs.ts';
import type { Millis } from './units.ts';

export interface DeploymentRequest {
  readonly model: ModelId;
  /** A thing's or a group's name; `farm` is every turbine. */
  readonly to: string;
}

export interface Deployment {
  readonly id: string;
  readonly model: ModelId;
  readonly to: string;
  readonly status: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'CANCELED';
  readonly createdAt: Millis;
  /** Of all its turbines. */
  readonly counts: JobCounts;
  /** Of its first turbines, by name: a list of deployments holds fewer of each than one that is shown. */
  readonly executions: readonly JobExecution[];
}

export interface Deployments {
  /** @throws NotFound for an unknown model or group; JobRefused */
  deploy(request: DeploymentRequest): Promise<Deployment>;
  /** @throws NotFound */
  show(id: string): Promise<Deployment>;
  /** Newest first. */
  list(): Promise<readonly Deployment[]>;
  cancel(id: string): Promise<Deployment>;
}
