/** A job as a device hears of it; its document is parsed by the update, so that a bad one ends in a report and not in silence. */
export interface DeviceJob {
  readonly jobId: string;
  readonly executionNumber: number;
  readonly document: unknown;
}

/** How an update ended, as it is reported. */
export interface Outcome {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly reason: string;
}
