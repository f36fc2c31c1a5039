/**
 * The process in which a new network is loaded for the first time and asked its golden samples: what it does to a process, it does to
 * this one. Reads an order from standard input, writes an answer to standard output.
 */
import { ModelRejected, reasonOf } from '../../contracts/errors.ts';
import { onnxEngine } from '../onnx.ts';
import { type ProofAnswer, readOrder, writeAnswer } from './wire.ts';

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const { manifest, golden, network } = readOrder(Buffer.concat(chunks));
const answer = await onnxEngine({ arch: process.arch })
  .load(manifest, network, golden)
  .then(
    async (inference): Promise<ProofAnswer> => {
      await inference.close();
      return { refusal: null, reason: 'model.rejected' };
    },
    (error: unknown): ProofAnswer => ({
      refusal: reasonOf(error),
      reason: error instanceof ModelRejected ? error.reason : 'model.rejected',
    }),
  );
process.stdout.write(writeAnswer(answer));
