/** What is said to the process that proves a network, and what it answers: a line of JSON, the order followed by the network's bytes. */
import type { GoldenSamples, ModelManifest } from '../../contracts/model.ts';
import { isUpdateCode, type UpdateCode } from '../../contracts/update-codes.ts';

export interface ProofOrder {
  readonly manifest: ModelManifest;
  readonly golden: GoldenSamples;
  readonly network: Uint8Array;
}

export interface ProofAnswer {
  /** Why the network is not to be loaded; null when it may be. */
  readonly refusal: string | null;
  readonly reason: UpdateCode;
}

export const writeOrder = ({ manifest, golden, network }: ProofOrder): Uint8Array =>
  Buffer.concat([Buffer.from(`${JSON.stringify({ manifest, golden })}\n`), network]);

/** Both ends are ours: nothing is checked twice. */
export function readOrder(bytes: Buffer): ProofOrder {
  const end = bytes.indexOf(0x0a);
  return { ...(JSON.parse(bytes.toString('utf8', 0, end)) as Omit<ProofOrder, 'network'>), network: bytes.subarray(end + 1) };
}

export const writeAnswer = (answer: ProofAnswer): string => `${JSON.stringify(answer)}\n`;

/** Null for what is no answer: the process ended before it had one. */
export function readAnswer(text: string): ProofAnswer | null {
  try {
    const answer = JSON.parse(text) as ProofAnswer;
    if (answer.refusal !== null && typeof answer.refusal !== 'string') return null;
    return { refusal: answer.refusal, reason: isUpdateCode(answer.reason) ? answer.reason : 'model.rejected' };
  } catch {
    return null;
  }
}
