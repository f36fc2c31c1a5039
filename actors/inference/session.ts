/** A session of ONNX Runtime as all of ours are: one thread, no spinning, from bytes that have been checked first. */
import './no-telemetry.ts';
import { InferenceSession } from 'onnxruntime-node';
import { ModelRejected, reasonOf } from '../contracts/errors.ts';
import { checkOnnx, type ExpectedEnds } from '../onnx/check.ts';
import { OnnxFault } from '../onnx/fault.ts';

/**
 * A hostile file can make the runtime take all memory or end the process: it sees nothing that the check has not passed.
 * @param expected absent for a network of any inputs and outputs
 * @throws ModelRejected when the check refuses the bytes, or the runtime cannot load them.
 */
export async function openSession(model: string, network: Uint8Array, expected?: ExpectedEnds): Promise<InferenceSession> {
  checkNetwork(model, network, expected);
  return InferenceSession.create(network, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4, // a refused model is our error to tell
    // Weights in int8 become float32 once, at load: then their products run in the layouts that float32 has.
    extra: { session: { intra_op: { allow_spinning: '0' }, disable_quant_qdq: '1' } },
  }).catch((error: unknown) => {
    throw new ModelRejected(model, `ONNX Runtime cannot load it: ${reasonOf(error).split('\n')[0].slice(0, 300)}`, error, 'network.load');
  });
}

function checkNetwork(model: string, network: Uint8Array, expected?: ExpectedEnds): void {
  try {
    checkOnnx(network, expected);
  } catch (error) {
    if (error instanceof OnnxFault) throw new ModelRejected(model, error.message, error, error.reason);
    throw error;
  }
}
