/** Signed packages around small networks, for devices without a body. */
import { HOME_FLEET, type ModelManifest } from '../../actors/contracts/model.ts';
import { packModel } from '../../actors/package/package.ts';
import type { SigningKey } from '../../cloud/models/keys.ts';
import { createRng } from '../../twins/rng.ts';
import { goodNetwork } from './hostile-networks.ts';
import { modelAround, type NetworkModel } from './network-model.ts';
import { denseNetwork } from './reference-network.ts';

type Change = (manifest: ModelManifest) => ModelManifest;

/** A package of `light@version`, as it should be. */
export function lightPackage(
  key: SigningKey,
  version: string,
  sequence: number,
  change: Change = (manifest) => manifest,
  { manifest, network, golden }: NetworkModel = goodNetwork,
) {
  const features = manifest.signal.features.map((feature) => ({ ...feature, parameters: { seconds: 1 } }));
  const described = change({ ...manifest, signal: { ...manifest.signal, features }, name: 'light', fleet: HOME_FLEET, version, sequence });
  return packModel({ manifest: described, network, golden }, key.privateKey);
}

/** The least that is a model: four samples of one feature through two neurons. */
export const tinyModel = (): NetworkModel => modelAround(denseNetwork(1, 4, [2], createRng(3)));

/** A model that does not give its own golden answers. */
export const withWrongGolden = (model: NetworkModel): NetworkModel => ({
  ...model,
  golden: { ...model.golden, scores: model.golden.scores.map((scores) => scores.map((score) => score + 1)) },
});
