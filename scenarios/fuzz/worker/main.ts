/** A thread that plays random stories, one after the other, as they are handed to it. */
import '../../../actors/inference/no-telemetry.ts';
import { parentPort, workerData } from 'node:worker_threads';
import { keepParts } from '../../kept.ts';
import { playRandom } from '../player.ts';
import type { FromPlayer, PlayerStart, ToPlayer } from './wire.ts';

const { stop } = workerData as PlayerStart;
const stopped = new Int32Array(stop);
const port = parentPort!;
const options = { kept: keepParts(), isStopped: () => Atomics.load(stopped, 0) !== 0 };

const answer = (message: FromPlayer): void => port.postMessage(message);

port.on('message', (message: ToPlayer) => {
  if (message.say === 'close') return port.close();
  playRandom(message.story, options).then(
    (broken) => answer({ broken, error: null }),
    (error: unknown) => answer({ broken: null, error }),
  );
});
