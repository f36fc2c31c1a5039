/**
 * Proves a network before this process loads it: a process of its own, with bounded memory and time, loads it and asks it its golden
 * samples. A network that takes all memory, never answers or ends its process ends that one, and the turbines go on.
 *
 * The strict reader of `actors/onnx` is the first belt; this is the second, for what a runtime of a million lines may do with a file
 * that looks well.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { EnvironmentLacking, ModelRejected } from '../../contracts/errors.ts';
import { modelId } from '../../contracts/ids.ts';
import type { Prover } from '../../contracts/inference.ts';
import { type ProofOrder, readAnswer, writeOrder } from './wire.ts';

export interface ProofLimits {
  /** Of the process's data segments. */
  readonly memoryMiB: number;
  /** Of wall time, and of processor time. */
  readonly seconds: number;
}

/** The largest network that the reader passes loads in a second and 300 MiB; a busy Jetson is ten times as slow. */
const LIMITS: ProofLimits = { memoryMiB: 1_536, seconds: 30 };
const ANSWER_CHARACTERS = 10_000;

/**
 * A network that has been proved is not proved again in this process: a fleet that gets the same package asks once.
 * @param entry of the process, for tests
 */
export function childProver(limits: ProofLimits = LIMITS, entry = join(import.meta.dirname, 'main.js')): Prover {
  const proved = new Map<string, Promise<void>>();

  return {
    prove(manifest, network, golden) {
      const order = writeOrder({ manifest, golden, network });
      const key = createHash('sha256').update(order).digest('hex');
      const known = proved.get(key);
      if (known) return known;
      const proof = prove({ manifest, golden, network }, order, limits, entry);
      proved.set(key, proof);
      proof.catch(() => proved.delete(key)); // a machine short of memory may have more next time
      return proof;
    },
  };
}

function prove({ manifest }: ProofOrder, order: Uint8Array, { memoryMiB, seconds }: ProofLimits, entry: string): Promise<void> {
  const model = modelId(manifest.name, manifest.version);
  // A limit that is lower already cannot be raised, and need not be.
  const limited = `ulimit -d ${memoryMiB * 1_024}; ulimit -t ${seconds}; ulimit -c 0; exec "$@"`;
  const child = spawn('/bin/sh', ['-c', limited, 'sh', process.execPath, '--max-old-space-size=512', entry], {
    env: {}, // it has nothing to do with anybody's keys
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: seconds * 1_000,
    killSignal: 'SIGKILL',
  });
  let answered = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (answered.length < ANSWER_CHARACTERS) answered += text;
  });
  child.stdin.on('error', () => {}); // it has ended: its exit says why
  child.stdin.end(order);

  return new Promise((done, failed) => {
    child.on('error', (cause) =>
      failed(new EnvironmentLacking(`no process can be started to prove ${model}: ${cause.message}`, { cause, hint: 'is /bin/sh there?' })),
    );
    child.on('close', (code, signal) => {
      const answer = readAnswer(answered);
      if (answer === null) failed(new ModelRejected(model, howItEnded(code, signal, seconds), undefined, 'network.died'));
      else if (answer.refusal !== null) failed(new ModelRejected(model, bare(answer.refusal, model), undefined, answer.reason));
      else done();
    });
  });
}

function howItEnded(code: number | null, signal: NodeJS.Signals | null, seconds: number): string {
  const why =
    signal === 'SIGKILL' || signal === 'SIGXCPU'
      ? `had not answered its golden samples after ${seconds} s`
      : `ended (${signal ?? `exit ${code}`}): it may want more memory than it may have`;
  return `the process that tried to load it ${why}`;
}

/** The reason without the words that say whose it is: they are said again. */
const bare = (reason: string, model: string) => reason.replace(`model ${model} rejected: `, '');
