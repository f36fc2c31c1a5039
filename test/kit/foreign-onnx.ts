/** ONNX files as other programs write them, made with Python's onnx package: the names, the detours and the fixed batch of PyTorch's exporter. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { python } from './programs.ts';

const SCRIPT = `
import sys
import numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh
out = sys.argv[1]
rng = np.random.RandomState(7)
def floats(name, *dims, scale=None):
    n = int(np.prod(dims[1:])) or 1
    return nh.from_array((rng.standard_normal(dims) * (scale or 1 / np.sqrt(n))).astype(np.float32), name)
def save(name, nodes, tensors, inputs, outputs, opset, ir, **more):
    graph = h.make_graph(nodes, 'torch-jit-export', inputs, outputs, tensors)
    model = h.make_model(graph, opset_imports=[h.make_opsetid('', opset)], producer_name='pytorch', producer_version='1.6', ir_version=ir, **more)
    onnx.checker.check_model(model)
    onnx.save(model, out + '/' + name)
value = lambda name, dims: h.make_tensor_value_info(name, T.FLOAT, dims)

# The original's network, batch fixed at 1, values called by numbers, a Dropout between its blocks.
nodes, tensors, x, width = [], [], 'input0', 13
for n, (op, i, o, pad) in enumerate([('Conv', 6, 32, 1), ('Conv', 32, 64, 1), ('Conv', 64, 128, 2), ('ConvTranspose', 128, 64, 2), ('ConvTranspose', 64, 32, 1), ('ConvTranspose', 32, 6, 1)]):
    w, b = '%d.weight' % (3 * n), '%d.bias' % (3 * n)
    tensors += [floats(w, *((o, i, 2, 2) if op == 'Conv' else (i, o, 2, 2)), scale=1 / np.sqrt(4 * i)), floats(b, o, scale=0.1)]
    nodes.append(h.make_node(op, [x, w, b], [str(width)], name='%s_%d' % (op, n), dilations=[1, 1], group=1, kernel_shape=[2, 2], pads=[pad] * 4, strides=[1, 1]))
    x, width = str(width), width + 1
    if n < 5:
        nodes.append(h.make_node('Relu', [x], [str(width)])); x, width = str(width), width + 1
        nodes.append(h.make_node('Dropout', [x], [str(width)], ratio=0.001)); x, width = str(width), width + 1
save('pytorch-seed.onnx', nodes, tensors, [value('input0', [1, 6, 10, 10])], [value(x, [1, 6, 10, 10])], 11, 6)

# A free batch that is carried through the graph by Shape and Concat; BatchNormalization; a product and a sum for a linear layer.
def carried(name, opset, ir):
    axes = lambda node, axis: ([node, 'zero_axis'], {}) if opset >= 13 else ([node], {'axes': [axis]})
    tensors = [floats('conv.weight', 8, 7, 3), floats('conv.bias', 8, scale=0.1), nh.from_array(rng.uniform(0.5, 2, 8).astype(np.float32), 'bn.weight'), floats('bn.bias', 8, scale=0.1),
        floats('bn.running_mean', 8, scale=0.1), nh.from_array(rng.uniform(0.5, 2, 8).astype(np.float32), 'bn.running_var'),
        floats('down', 800, 16, scale=1 / 28), floats('down.bias', 16, scale=0.1), floats('up.weight', 700, 16), floats('up.bias', 700, scale=0.1)]
    if opset >= 13: tensors.append(nh.from_array(np.array([0], np.int64), 'zero_axis'))
    const = lambda name, v: h.make_node('Constant', [], [name], value=nh.from_array(np.array(v, np.int64), name + '_value'))
    (unsqueeze, attributes) = axes('batch', 0)
    nodes = [
        h.make_node('Conv', ['input.1', 'conv.weight', 'conv.bias'], ['c'], kernel_shape=[3], pads=[1, 1], strides=[1], dilations=[1], group=1),
        h.make_node('BatchNormalization', ['c', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var'], ['n'], epsilon=1e-5, momentum=0.9),
        h.make_node('Relu', ['n'], ['r']), h.make_node('Shape', ['r'], ['shape']), const('zero', 0), h.make_node('Gather', ['shape', 'zero'], ['batch'], axis=0),
        h.make_node('Unsqueeze', unsqueeze, ['batch1'], **attributes), const('minus', [-1]), h.make_node('Concat', ['batch1', 'minus'], ['view'], axis=0),
        h.make_node('Reshape', ['r', 'view'], ['flat']), h.make_node('MatMul', ['flat', 'down'], ['m']), h.make_node('Add', ['down.bias', 'm'], ['d']), h.make_node('Tanh', ['d'], ['t']),
        h.make_node('Identity', ['t'], ['same']), h.make_node('Gemm', ['same', 'up.weight', 'up.bias'], ['u'], alpha=1.0, beta=1.0, transB=1),
        const('f', [7]), const('s', [100]), h.make_node('Concat', ['batch1', 'f', 's'], ['whole'], axis=0), h.make_node('Reshape', ['u', 'whole'], ['out'])]
    save(name, nodes, tensors, [value('input.1', ['batch', 7, 100])], [value('out', ['batch', 7, 100])], opset, ir)
carried('carried-11.onnx', 11, 6)
carried('carried-13.onnx', 13, 7)
if onnx.defs.onnx_opset_version() >= 17: carried('carried-17.onnx', 17, 8)

# A dense one that gives its reconstruction flat, and one that is no autoencoder.
dense = lambda last: ([h.make_node('Flatten', ['x'], ['f'], axis=1), h.make_node('Gemm', ['f', 'w', 'b'], ['y'])], [floats('w', 700, last), floats('b', last)])
for name, last in [('flat.onnx', 700), ('classifier.onnx', 3)]:
    nodes, tensors = dense(last)
    save(name, nodes, tensors, [value('x', ['batch', 7, 100])], [value('y', ['batch', last])], 13, 7)
nodes, tensors = dense(700)
nodes.append(h.make_node('Einsum', ['y'], ['z'], equation='ij->ji'))
save('einsum.onnx', nodes, tensors, [value('x', ['batch', 7, 100])], [value('z', [700, 'batch'])], 13, 7)

# Weights in a file beside it.
nodes, tensors = dense(700)
model = h.make_model(h.make_graph(nodes, 'g', [value('x', ['batch', 7, 100])], [value('y', ['batch', 700])], tensors), opset_imports=[h.make_opsetid('', 13)], ir_version=7)
onnx.save_model(model, out + '/external.onnx', save_as_external_data=True, location='weights.bin', size_threshold=0)
# …and taken in again: the file says of each tensor that its data is here.
onnx.save(onnx.load(out + '/external.onnx'), out + '/taken-in.onnx')
`;

/** Writes all of them. @returns where a file lies */
export function writeForeignOnnx(folder: string): (name: string) => string {
  execFileSync(python, ['-W', 'ignore', '-c', SCRIPT, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  return (name) => join(folder, name);
}
