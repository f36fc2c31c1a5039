/**
 * Sessions that stay open when nobody uses them any more, for worlds that come one after the other and load the same networks; the one
 * that has been idle longest goes when there are too many.
 */
import type { Engine, Inference } from '../contracts/inference.ts';
import { loadKey } from './load-key.ts';

export interface KeptEngine extends Engine {
  /** Ends all of them. Nobody may use one any more. */
  close(): Promise<void>;
}

/** @param most idle sessions that are kept */
export function keptEngine(engine: Engine, most: number): KeptEngine {
  const loaded = new Map<string, { readonly inference: Promise<Inference>; users: number }>(); // those used last are last

  const letGo = async () => {
    const idle = [...loaded].filter(([, { users }]) => users === 0);
    for (const [key, { inference }] of idle.slice(0, Math.max(0, idle.length - most))) {
      loaded.delete(key);
      await (await inference).close();
    }
  };

  return {
    async load(manifest, network, golden, files) {
      const key = loadKey(manifest, network, golden);
      const kept = loaded.get(key) ?? { inference: engine.load(manifest, network, golden, files), users: 0 };
      loaded.delete(key);
      loaded.set(key, kept);
      kept.users++;
      const inference = await kept.inference.catch((error: unknown) => {
        if (loaded.get(key) === kept) loaded.delete(key);
        throw error;
      });
      let isOpen = true;
      return {
        ...inference,
        async close() {
          if (!isOpen) return;
          isOpen = false;
          kept.users--;
          await letGo();
        },
      };
    },
    async close() {
      const all = [...loaded.values()];
      loaded.clear();
      for (const { inference } of all) await (await inference).close();
    },
  };
}
