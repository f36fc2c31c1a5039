/**
 * The models of an agent: loaded by name as far as memory goes, asked one at a time in the order of the calls.
 *
 *   LoadModel → files at the url → signature → target → network          Predict → checked → in turn → outputs
 */
import type { KeyObject } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { TensorEngine, TensorModel, TensorSpec } from '../../actors/contracts/inference.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { ModelManifest } from '../../actors/contracts/model.ts';
import { SIGNATURE_FILE, verifyFiles } from '../../actors/package/model-signature.ts';
import { readContents } from '../../actors/package/package.ts';
import type { Files } from '../../actors/package/tar.ts';
import { readModelFiles } from './model-files.ts';
import { isModelName, type WireModel, type WireTensor } from './protocol.ts';
import { quote, Refusal } from './refusal.ts';
import { readInputs, wireSpec, wireTensor } from './tensor.ts';

export interface AgentModelsOptions {
  readonly engine: TensorEngine;
  readonly log: Log;
  readonly trustedKeys: readonly KeyObject[];
  /** Loads what has no signature at all; a wrong signature is refused still. */
  readonly allowUnsigned: boolean;
  /** For all loaded models together. */
  readonly memoryBytes: number;
  /** From which a relative url counts. */
  readonly folder: string;
  /** What this machine is, as a package's `target` names it: `x64`, `arm64`. */
  readonly target: string;
}

/** What the agent says of a model to people, not to clients. */
export interface ModelFacts {
  readonly name: string;
  /** The package's; null for a network without a manifest. */
  readonly version: string | null;
  /** Answered so far. */
  readonly predictions: number;
}

export interface AgentModels {
  load(url: string, name: string): Promise<WireModel>;
  /** Resolves once the memory is free. */
  unload(name: string): Promise<void>;
  list(): readonly WireModel[];
  describe(name: string): WireModel;
  /** @param isCancelled asked when its turn has come */
  predict(name: string, tensors: readonly WireTensor[], isCancelled: () => boolean): Promise<readonly WireTensor[]>;
  facts(): readonly ModelFacts[];
  close(): Promise<void>;
}

interface Loaded {
  readonly wire: WireModel;
  readonly model: TensorModel;
  readonly version: string | null;
  /** For each output as clients see it, its place in the graph. */
  readonly outputs: readonly number[];
  readonly memory: number;
  predictions: number;
}

/** Inputs that may wait for their turn. */
const MAX_WAITING_BYTES = 256 * 2 ** 20;

/** A session holds the weights twice, as they came and as the kernels want them, and some room to work in. */
const memoryOf = (network: Uint8Array): number => 4 * 2 ** 20 + 2 * network.length;

export function openModels(options: AgentModelsOptions): AgentModels {
  const { engine, log, memoryBytes, folder } = options;
  const loaded = new Map<string, Loaded>();
  const loading = new Map<string, number>(); // by name, the memory that is set aside
  let turn: Promise<unknown> = Promise.resolve();
  let waitingBytes = 0;

  const used = () => [...[...loaded.values()].map(({ memory }) => memory), ...loading.values()].reduce((sum, n) => sum + n, 0);
  const find = (name: string): Loaded => {
    checkName(name);
    const known = loaded.get(name);
    if (!known) throw new Refusal(status.NOT_FOUND, `no model ${quote(name)} is loaded`);
    return known;
  };
  /** After all that was asked before. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  };

  return {
    async load(url, name) {
      checkName(name);
      if (loaded.has(name) || loading.has(name)) throw new Refusal(status.ALREADY_EXISTS, `a model ${name} is loaded already`);
      loading.set(name, 0);
      try {
        const files = await readModelFiles(url, folder, memoryBytes - used());
        const { network, manifest } = readNetwork(files, options);
        const memory = memoryOf(network);
        if (used() + memory > memoryBytes)
          throw new Refusal(
            status.RESOURCE_EXHAUSTED,
            `${name} needs ${megabytes(memory)}; ${megabytes(memoryBytes - used())} of ${megabytes(memoryBytes)} for models are left: unload one`,
          );
        loading.set(name, memory);
        const model = await engine.open(name, network);
        const outputs = outputOrder(model);
        const wire = {
          url,
          name,
          input_tensor_metadatas: model.inputs.map(wireSpec),
          output_tensor_metadatas: outputs.map((i) => wireSpec(model.outputs[i])),
        };
        loaded.set(name, { wire, model, version: manifest?.version ?? null, outputs, memory, predictions: 0 });
        log.info({ name, url, signed: files.has(SIGNATURE_FILE) }, 'model loaded');
        return wire;
      } finally {
        loading.delete(name);
      }
    },

    async unload(name) {
      const { model } = find(name);
      loaded.delete(name);
      await inTurn(() => model.close());
      log.info({ name }, 'model unloaded');
    },

    list: () => [...loaded.values()].map(({ wire }) => wire),
    describe: (name) => find(name).wire,

    async predict(name, tensors, isCancelled) {
      const known = find(name);
      const values = readInputs(known.model.inputs, tensors);
      const bytes = values.reduce((sum, value) => sum + value.bytes.length, 0);
      if (waitingBytes + bytes > MAX_WAITING_BYTES)
        throw new Refusal(status.RESOURCE_EXHAUSTED, `${megabytes(waitingBytes)} of inputs wait for their turn; ask again later`);
      waitingBytes += bytes;
      try {
        return await inTurn(async () => {
          if (isCancelled()) throw new Refusal(status.CANCELLED, 'the caller has gone');
          const results = await known.model.run(values);
          known.predictions++;
          return known.outputs.map((i) => wireTensor(results[i]));
        });
      } finally {
        waitingBytes -= bytes;
      }
    },

    facts: () => [...loaded.values()].map(({ wire, version, predictions }) => ({ name: wire.name, version, predictions })),

    async close() {
      const models = [...loaded.values()];
      loaded.clear();
      for (const { model } of models) await inTurn(() => model.close());
    },
  };
}

/** Clients of the original take output 0 for the reconstruction: what has an input's shape comes first. */
function outputOrder({ inputs, outputs }: TensorModel): readonly number[] {
  const mirrors = (output: TensorSpec) => String(output.shape) === String(inputs[0]?.shape);
  const places = outputs.map((_, i) => i);
  return [...places.filter((i) => mirrors(outputs[i])), ...places.filter((i) => !mirrors(outputs[i]))];
}

/** @throws VerificationRefused, ModelRejected, Refusal */
function readNetwork(files: Files, options: AgentModelsOptions): { readonly network: Uint8Array; readonly manifest: ModelManifest | null } {
  if (files.has(SIGNATURE_FILE)) verifyFiles(files, options.trustedKeys);
  else if (!options.allowUnsigned) throw unusable('the package is unsigned; start the agent with --allow-unsigned to load it all the same');
  if (!files.has('manifest.json')) return { network: bareNetwork(files), manifest: null };
  const { network, manifest } = readContents(files);
  if (manifest.target !== 'any' && manifest.target !== options.target)
    throw unusable(`${manifest.name}@${manifest.version} is compiled for ${manifest.target}, and this machine is ${options.target}`);
  return { network, manifest };
}

/** A network without a manifest: `compiled.onnx` at the top of the folder. */
function bareNetwork(files: Files): Uint8Array {
  const network = files.get('compiled.onnx');
  if (network) return network;
  const others = [...files.keys()].filter((name) => name.startsWith('compiled.'));
  if (others.length > 0) throw unusable(`${others.join(', ')}: compiled for another runtime; this one wants compiled.onnx`);
  throw unusable('the package holds no compiled.* at its top level');
}

function checkName(name: string): void {
  if (!isModelName(name))
    throw new Refusal(status.INVALID_ARGUMENT, `${quote(name)} is no name of a model: letters and digits with dashes between, 128 at most`);
}

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
const unusable = (message: string) => new Refusal(status.FAILED_PRECONDITION, message);
