import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { createRng } from '../../twins/rng.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { modelAround } from '../kit/network-model.ts';
import { starter } from '../kit/packages.ts';
import { hasPython, python } from '../kit/programs.ts';
import { denseNetwork, mixedNetwork, seedNetwork } from '../kit/reference-network.ts';

const second = suite('second reader');

/** Python's onnx package reads, checks and infers the shapes; NumPy answers by the operators' definitions. */
const SCRIPT = `
import json, sys
import numpy as np, onnx
from onnx import numpy_helper, shape_inference
model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
inferred = shape_inference.infer_shapes(model, strict_mode=True)
side = lambda d: d.dim_value if d.HasField('dim_value') else d.dim_param
shapes = {v.name: [side(d) for d in v.type.tensor_type.shape.dim] for v in list(inferred.graph.output) + list(inferred.graph.value_info)}
values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
windows = json.load(open(sys.argv[2]))
x = np.array(windows, dtype=np.float32)
values['input0'] = x.reshape([len(windows)] + [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim[1:]])
def unfold(x, kernel, strides, pads):
    n, c, h, w = x.shape
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    oh, ow = (x.shape[2] - kernel[0]) // strides[0] + 1, (x.shape[3] - kernel[1]) // strides[1] + 1
    columns = np.zeros((n, c, kernel[0], kernel[1], oh, ow), np.float32)
    for a in range(kernel[0]):
        for b in range(kernel[1]):
            columns[:, :, a, b] = x[:, :, a:a + strides[0] * (oh - 1) + 1:strides[0], b:b + strides[1] * (ow - 1) + 1:strides[1]]
    return columns
def conv(x, w, b, at):
    return np.einsum('ncabhw,ocab->nohw', unfold(x, w.shape[2:], at['strides'], at['pads'])  , w, optimize=True) + b[None, :, None, None]
def transposed(x, w, b, at):
    (sh, sw), p, more = at['strides'], at['pads'], at.get('output_padding', [0, 0])
    n, _, h, wd = x.shape
    kh, kw = w.shape[2:]
    y = np.zeros((n, w.shape[1], (h - 1) * sh + kh + more[0], (wd - 1) * sw + kw + more[1]), np.float32)
    for a in range(kh):
        for c in range(kw):
            y[:, :, a:a + sh * h:sh, c:c + sw * wd:sw] += np.einsum('ncij,co->noij', x, w[:, :, a, c])
    return y[:, :, p[0]:y.shape[2] - p[2], p[1]:y.shape[3] - p[3]] + b[None, :, None, None]
for node in model.graph.node:
    at = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    i = [values[name] for name in node.input]
    values[node.output[0]] = {
        'Flatten': lambda: i[0].reshape(len(i[0]), -1),
        'Reshape': lambda: i[0].reshape(i[1]),
        'Gemm': lambda: i[0] @ i[1].T + i[2],
        'Conv': lambda: conv(i[0], i[1], i[2], at),
        'ConvTranspose': lambda: transposed(i[0], i[1], i[2], at),
        'Tanh': lambda: np.tanh(i[0]), 'Relu': lambda: np.maximum(i[0], 0),
        'Sub': lambda: i[0] - i[1], 'Abs': lambda: np.abs(i[0]), 'Div': lambda: i[0] / i[1],
        'ReduceMean': lambda: i[0].mean(axis=tuple(at['axes'])),
    }[node.op_type]()
print(json.dumps({
    'opset': model.opset_import[0].version, 'ir': model.ir_version, 'ops': [n.op_type for n in model.graph.node], 'shapes': shapes,
    'scores': values['scores'].tolist(), 'parameters': int(sum(v.size for k, v in values.items() if k[0] in 'Wb' and k[1:2].isdigit())),
}))
`;

const folder = scratchFolder();

if (hasPython('onnx', 'python3-onnx')) {
  const models = [
    ['dense', modelAround(denseNetwork(3, 20, [16, 4, 16], createRng(1)))],
    ['convolutions', modelAround(mixedNetwork(4, 40, createRng(2)))],
    ['the original’s', modelAround(seedNetwork(createRng(3)))],
    ['the original’s as trained', modelAround(seedNetwork(createRng(3)), 'as-trained')],
    ['starter', starter('1.1.0')],
  ] as const;
  for (const [name, { manifest, network, golden }] of models) {
    second(`${name}: Python’s onnx finds it whole, and NumPy gives ONNX Runtime’s scores`, async () => {
      const [file, windows] = [join(folder, 'network.onnx'), join(folder, 'windows.json')];
      writeFileSync(file, network);
      writeFileSync(windows, JSON.stringify(golden.windows));
      const read = JSON.parse(execFileSync(python, ['-c', SCRIPT, file, windows], { encoding: 'utf8' })) as {
        opset: number;
        ir: number;
        ops: string[];
        shapes: Record<string, (number | string)[]>;
        scores: number[][];
      };
      assert.is(read.opset, 17);
      assert.is(read.ir, 8);
      assert.equal(read.shapes['scores'], ['N', manifest.signal.features.length]);
      assert.equal(read.shapes['reconstruction'], ['N', ...manifest.network.input.slice(1)]);

      const inference = await onnxEngine().load(manifest, network, golden);
      const scores = new Float32Array(golden.windows.length * manifest.signal.features.length);
      await inference.predict(Float32Array.from(golden.windows.flat()), golden.windows.length, scores);
      await inference.close();
      const theirs = read.scores.flat();
      assert.is(theirs.length, scores.length);
      for (const [i, score] of scores.entries())
        assert.ok(Math.abs(score - theirs[i]) <= 1e-5 * Math.max(1, score), `score ${i}: ${score} against ${theirs[i]}`);
    });
  }
}

second.after(() => removeFolder(folder));
second.run();
