/** Threads that play stories: as many at once as there are. */
import { Worker } from 'node:worker_threads';
import { reasonOf } from '../../../actors/contracts/errors.ts';
import type { Scenario } from '../../dsl.ts';
import type { Broken } from '../search.ts';
import type { FromPlayer, PlayerStart, ToPlayer } from './wire.ts';

export interface PlayerPool {
  /** Waits for a thread that is free. @returns null when it was stopped. @throws what playing threw; Error (a defect) when the thread ends */
  play(story: Scenario): Promise<readonly Broken[] | null>;
  /** Ends what is being played, and all that comes. */
  stop(): void;
  close(): Promise<void>;
}

export function openPlayers(threads: number): PlayerPool {
  const stop = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const players = Array.from({ length: threads }, (_, i) => openPlayer(stop, `player ${i + 1} of ${threads}`));
  const free = [...players];
  const waiting: ((player: Player) => void)[] = [];
  return {
    async play(story) {
      const player = free.pop() ?? (await new Promise<Player>((given) => waiting.push(given)));
      try {
        return await player.play(story);
      } finally {
        const next = waiting.shift();
        if (next) next(player);
        else free.push(player);
      }
    },
    stop: () => void Atomics.store(new Int32Array(stop), 0, 1),
    async close() {
      for (const player of players) await player.close();
    },
  };
}

interface Player {
  play(story: Scenario): Promise<readonly Broken[] | null>;
  close(): Promise<void>;
}

function openPlayer(stop: SharedArrayBuffer, name: string): Player {
  const worker = new Worker(new URL('./main.js', import.meta.url), { workerData: { stop } satisfies PlayerStart });
  let answered: ((message: FromPlayer) => void) | null = null;
  let failure: Error | null = null;
  const fail = (why: string, cause?: unknown) => {
    failure ??= new Error(`${name} ${why}`, { cause });
    answered?.({ broken: null, error: failure });
  };
  const gone = new Promise<void>((left) => worker.once('exit', () => left()));
  worker.on('message', (message: FromPlayer) => answered?.(message));
  worker.on('error', (error) => fail(`has failed: ${reasonOf(error)}`, error));
  worker.on('exit', (code) => fail(`has ended, with code ${code}`));
  const say = (message: ToPlayer) => worker.postMessage(message);
  return {
    play(story) {
      if (failure) throw failure;
      return new Promise((done, failed) => {
        answered = ({ broken, error }) => {
          answered = null;
          if (error === null) done(broken);
          else failed(error);
        };
        say({ say: 'play', story });
      });
    },
    async close() {
      say({ say: 'close' });
      await gone;
    },
  };
}
