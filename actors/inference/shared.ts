/** One session for all turbines that run the same network: loads are counted, and the last `close` ends it once it is at rest. */
import type { Engine, Inference } from '../contracts/inference.ts';
import { loadKey } from './load-key.ts';

interface Shared {
  readonly inference: Promise<Inference>;
  readonly running: Set<Promise<void>>;
  users: number;
}

export function sharedEngine(engine: Engine): Engine {
  const loaded = new Map<string, Shared>();

  return {
    async load(manifest, network, golden, files) {
      const key = loadKey(manifest, network, golden);
      const shared = loaded.get(key) ?? { inference: engine.load(manifest, network, golden, files), running: new Set(), users: 0 };
      loaded.set(key, shared);
      shared.users++;
      const leave = () => {
        shared.users--;
        if (shared.users === 0) loaded.delete(key);
      };
      const inference = await shared.inference.catch((error: unknown) => {
        leave();
        throw error;
      });
      return handle(inference, shared, leave);
    },
  };
}

/** A user's own hold on a shared session; closing twice counts once. */
function handle(inference: Inference, shared: Shared, leave: () => void): Inference {
  let open = true;
  return {
    model: inference.model,
    ...(inference.source ? { source: inference.source } : {}),
    predict(windows, batch, scores) {
      const run = inference.predict(windows, batch, scores).finally(() => shared.running.delete(run));
      shared.running.add(run);
      return run;
    },
    async close() {
      if (!open) return;
      open = false;
      leave();
      if (shared.users > 0) return;
      await Promise.allSettled(shared.running);
      await inference.close();
    },
  };
}
