/** The document of a model job: the original's five fields, a digest, and for the way down the key of a grant. Parsed at the device's door. */
import { z } from 'zod';
import { ModelRejected } from '../contracts/errors.ts';
import { type ModelId, modelId } from '../contracts/ids.ts';
import { readVersion } from './version.ts';

export interface ModelOrder {
  readonly name: string;
  readonly version: string;
  readonly bucket: string;
  readonly key: string;
  /** Hex SHA-256 of the package. */
  readonly sha256: string;
  /** Where in the bucket the leave to go down to it lies; absent: there is none. */
  readonly grantKey?: string;
}

const Document = z.strictObject({
  type: z.literal('new_model'),
  model_name: z.string().regex(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,63}$/),
  model_version: z.string().transform((text, context) => {
    const version = readVersion(text);
    if (version !== null) return version;
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is no version, as 1.2.3` });
    return z.NEVER;
  }),
  model_package_bucket: z.string().min(3).max(63),
  model_package_key: z.string().min(1).max(1024),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex'),
  rollback_grant_key: z.string().min(1).max(1024).optional(),
});

export const printJobDocument = (order: ModelOrder): Record<string, string> => ({
  type: 'new_model',
  model_version: order.version,
  model_name: order.name,
  model_package_bucket: order.bucket,
  model_package_key: order.key,
  sha256: order.sha256,
  ...(order.grantKey === undefined ? {} : { rollback_grant_key: order.grantKey }),
});

/** @throws ModelRejected naming every field that is missing or wrong. */
export function parseJobDocument(document: unknown): ModelOrder {
  const parsed = Document.safeParse(document);
  if (!parsed.success) throw new ModelRejected('job document', `\n${z.prettifyError(parsed.error)}`, undefined, 'job.malformed');
  const { model_name: name, model_version: version, model_package_bucket: bucket, model_package_key: key, sha256 } = parsed.data;
  const { rollback_grant_key: grantKey } = parsed.data;
  return { name, version, bucket, key, sha256, ...(grantKey === undefined ? {} : { grantKey }) };
}

/** The model that a job brings; null for a job of another kind. Of a document that somebody else wrote it may be all that is right. */
export function orderedModel(document: unknown): ModelId | null {
  const { data } = Document.pick({ type: true, model_name: true, model_version: true }).strip().safeParse(document);
  return data ? modelId(data.model_name, data.model_version) : null;
}
