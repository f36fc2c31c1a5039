/** Models with another threshold from an instant on: what was 1 is `above`. */
import type { Clock } from '../actors/contracts/clock.ts';
import type { Engine } from '../actors/contracts/inference.ts';
import type { Millis } from '../actors/contracts/units.ts';

export interface LaterThreshold {
  readonly at: Millis;
  /** A window is anomalous above this error over the model's own threshold. */
  readonly above: number;
}

export const laterThreshold = (engine: Engine, clock: Clock, { at, above }: LaterThreshold): Engine => ({
  async load(manifest, network, golden, files) {
    const inference = await engine.load(manifest, network, golden, files); // answers its golden samples as it is
    return {
      model: inference.model,
      ...(inference.latencyMs === undefined ? {} : { latencyMs: inference.latencyMs }),
      async predict(windows, batch, scores) {
        const isLater = clock.now() >= at;
        await inference.predict(windows, batch, scores);
        if (isLater) for (let i = 0; i < scores.length; i++) scores[i] /= above;
      },
      close: () => inference.close(),
    };
  },
});
