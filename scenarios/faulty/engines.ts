/** Models that are bad only when they are asked: late in simulated time, or with errors that grow while they serve. */
import type { Clock } from '../../actors/contracts/clock.ts';
import { type ModelId, modelId } from '../../actors/contracts/ids.ts';
import type { Engine, Inference } from '../../actors/contracts/inference.ts';
import type { Millis } from '../../actors/contracts/units.ts';

export interface EngineTrouble {
  readonly latencyMs?: Millis;
  /** Of each score, a minute of service: 0.1 is a tenth more. */
  readonly growthPerMinute?: number;
}

export interface FaultyEngine {
  readonly engine: Engine;
  /** Of a model, on devices that load it from now on; null: none any more. */
  trouble(model: ModelId, name: string, trouble: EngineTrouble | null): void;
}

export function faultyEngine(engine: Engine, clock: Clock): FaultyEngine {
  const troubles = new Map<ModelId, Map<string, EngineTrouble>>();
  const firstServed = new Map<ModelId, Millis>();

  const around = (inference: Inference, model: ModelId, all: readonly EngineTrouble[]): Inference => {
    const growth = () => (troubles.has(model) ? all.reduce((sum, { growthPerMinute = 0 }) => sum + growthPerMinute, 0) : 0);
    return {
      model: inference.model,
      latencyMs: all.reduce((sum, { latencyMs = 0 }) => sum + latencyMs, inference.latencyMs ?? 0),
      async predict(windows, batch, scores) {
        const since = firstServed.get(model) ?? clock.now();
        firstServed.set(model, since);
        const factor = 1 + (growth() * (clock.now() - since)) / 60_000;
        await inference.predict(windows, batch, scores);
        if (factor !== 1) for (let i = 0; i < scores.length; i++) scores[i] *= factor;
      },
      close: () => inference.close(),
    };
  };

  return {
    engine: {
      async load(manifest, network, golden, files) {
        const inference = await engine.load(manifest, network, golden, files);
        const model = modelId(manifest.name, manifest.version);
        const all = [...(troubles.get(model)?.values() ?? [])];
        return all.length > 0 ? around(inference, model, all) : inference; // one that stands before a session is asked by itself
      },
    },
    trouble(model, name, trouble) {
      const mine = troubles.get(model) ?? new Map<string, EngineTrouble>();
      troubles.set(model, mine);
      if (trouble) mine.set(name, trouble);
      else mine.delete(name);
      if (mine.size === 0) troubles.delete(model);
    },
  };
}
