/** AWS IoT Jobs' limits, in one place. Source: the service's quotas page and botocore's model of `iot`. */

export const MINUTE = 60_000; // ms
export const MAX_TIMEOUT_MINUTES = 10_080;
export const MAX_DOCUMENT_BYTES = 32_768;
export const MAX_SOURCE_LENGTH = 1_350;
export const MAX_TEXT_LENGTH = 2_028; // description, comment
export const MAX_REASON_LENGTH = 128;
export const MAX_TARGETS = 100;
export const MAX_RATE_PER_MINUTE = 1_000;
export const MAX_RETRIES = 10;
export const MAX_PRESIGNED_URLS = 10;
export const DEFAULT_PRESIGNED_SECONDS = 3_600;
export const MAX_DELETIONS = 10;
export const PENDING_SHOWN = 15; // a list notification names up to 15
export const PAGE = 250;
export const RETENTION = 730 * 24 * 60 * MINUTE; // ms after a job is over

/** What may be set otherwise: quotas that AWS raises on request. */
export interface Quotas {
  /** SNAPSHOT jobs, and CONTINUOUS ones, that are SCHEDULED or IN_PROGRESS at once. */
  readonly activeJobs: number;
  readonly templates: number;
}

export const QUOTAS: Quotas = { activeJobs: 1_000, templates: 1_000 };
