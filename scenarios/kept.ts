/**
 * What worlds that come one after the other share: networks are loaded and proved once, packages packed once, models tried on twins once.
 * None of it changes what happens in a world. It composes.
 */
import type { Engine, Prover } from '../actors/contracts/inference.ts';
import { keptEngine } from '../actors/inference/kept.ts';
import { loadKey } from '../actors/inference/load-key.ts';
import { onnxEngine } from '../actors/inference/onnx.ts';
import { childProver } from '../actors/inference/proof/prover.ts';
import { type PackModel, packModel } from '../actors/package/package.ts';
import { keyId } from '../actors/package/dsse.ts';
import type { KnownTrials } from './twin-trial.ts';

export interface KeptParts {
  readonly engine: Engine;
  readonly prover: Prover;
  readonly pack: PackModel;
  readonly trials: KnownTrials;
  /** When no world uses them any more. */
  close(): Promise<void>;
}

const IDLE_SESSIONS = 8;
const PACKAGES = 32;

export function keepParts(): KeptParts {
  const engine = keptEngine(onnxEngine({ arch: process.arch }), IDLE_SESSIONS);
  return { engine, prover: childProver(), pack: rememberedPacks(), trials: new Map(), close: () => engine.close() };
}

function rememberedPacks(): PackModel {
  const packed = new Map<string, ReturnType<PackModel>>();
  return (contents, privateKey) => {
    const { manifest, network, golden } = contents;
    const key = `${keyId(privateKey)} ${loadKey(manifest, network, golden)}`;
    const known = packed.get(key) ?? packModel(contents, privateKey);
    packed.delete(key);
    packed.set(key, known);
    if (packed.size > PACKAGES) packed.delete(packed.keys().next().value!); // the one that was wanted longest ago
    return known;
  };
}
