import type { UpdateCode } from '../contracts/update-codes.ts';

/** A job as a device hears of it; its document is parsed by the update, so that a bad one ends in a report and not in silence. */
export interface DeviceJob {
  readonly jobId: string;
  readonly executionNumber: number;
  readonly document: unknown;
}

/** The steps of an update, in their order: a job's `statusDetails.stage`, and the states of the machine. */
export const STAGES = ['accepting', 'downloading', 'verifying', 'unpacking', 'loading', 'canary', 'committing'] as const;
export type Stage = (typeof STAGES)[number];

/** Why an update ended without its model. */
export interface Refusal {
  readonly code: UpdateCode;
  readonly stage: Stage;
  /** In words. */
  readonly reason: string;
}

/** How an update ended, as it is reported. */
export type Outcome = { readonly status: 'SUCCEEDED' } | ({ readonly status: 'FAILED' } & Refusal);

/**
 * What a device finds when a job is told: a new one; one whose package is unpacked already; one that was applied, or refused, or even
 * reported, before a restart.
 */
export type Found = 'new' | 'unpacked' | 'applied' | 'reported';
