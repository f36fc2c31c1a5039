/**
 * The end of every network: reconstruction [N, …] → |· − input| → mean over a feature's samples → ÷ thresholds → scores [N, features],
 * so that a device asks for verdicts and not for reconstructions.
 */
import { addFloats, addIntegers, addNode, batchedValue, freshName, type Graph } from './onnx-graph.ts';

export const INPUT = 'input0';
export const SCORES = 'scores';
export const RECONSTRUCTION = 'reconstruction';

/**
 * @param shape of a window, without the batch; its first side is the features
 * @param thresholds [features]
 */
export function appendScores(graph: Graph, reconstruction: string, shape: readonly number[], thresholds: Float32Array): void {
  const difference = addNode(graph, 'Sub', [reconstruction, INPUT], freshName(graph, 'difference'));
  const absolute = addNode(graph, 'Abs', [difference], freshName(graph, 'absolute'));
  const axes = shape.slice(1).map((_, d) => d + 2);
  // Opset 18: the axes of ReduceMean became an input.
  const error =
    graph.opset < 18
      ? addNode(graph, 'ReduceMean', [absolute], freshName(graph, 'error'), { axes, keepdims: 0 })
      : addNode(graph, 'ReduceMean', [absolute, addIntegers(graph, freshName(graph, 'axes'), axes)], freshName(graph, 'error'), {
          keepdims: 0,
        });
  addNode(graph, 'Div', [error, addFloats(graph, freshName(graph, 'thresholds'), [thresholds.length], thresholds)], SCORES);
  graph.outputs = [batchedValue(SCORES, [thresholds.length]), batchedValue(reconstruction, shape)];
}
