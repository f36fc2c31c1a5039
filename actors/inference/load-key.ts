/** What makes two loads the same: everything that an answer depends on. */
import { createHash } from 'node:crypto';
import type { GoldenSamples, ModelManifest } from '../contracts/model.ts';

/** Hex SHA-256. The whole manifest counts: thresholds and statistics belong to what is being asked, and so do the golden answers. */
export const loadKey = (manifest: ModelManifest, network: Uint8Array, golden: GoldenSamples): string =>
  createHash('sha256')
    .update(JSON.stringify([manifest, golden]))
    .update(network)
    .digest('hex');
