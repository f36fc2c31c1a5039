/** Signed packages for tests, made from a starter model. */
import { join } from 'node:path';
import type { ModelManifest } from '../../actors/contracts/model.ts';
import { packModel } from '../../actors/package/package.ts';
import type { SigningKey } from '../../cloud/models/keys.ts';
import { readArtefacts } from '../../cloud/models/starter.ts';
import { packageRoot } from './package-root.ts';

export const starter = (version = '1.1.0') => readArtefacts(join(packageRoot(), 'cloud/models/starter', `windturbine-anomaly-${version}`));

/** A version that goes beyond the starters, with changes to its manifest. */
export function newerPackage(key: SigningKey, change: (manifest: ModelManifest) => ModelManifest = (manifest) => manifest) {
  const { manifest, network, golden } = starter();
  return packModel({ manifest: change({ ...manifest, version: '2.0.0', sequence: 10 }), network, golden }, key.privateKey);
}
