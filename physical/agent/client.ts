/**
 * An edge agent as an `Engine`: the package goes to its LoadModel, each window to its Predict, and the scores are read from the
 * answer's `scores`. A window is one call, so its scores depend on no neighbour.
 *
 * An agent that was started anew is waited for, and has forgotten its models: the first Predict that hears NOT_FOUND loads them again.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Client, credentials, makeGenericClientConstructor, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ModelRejected, RemoteRefused } from '../../actors/contracts/errors.ts';
import { answerGolden } from '../../actors/contracts/golden.ts';
import { modelId } from '../../actors/contracts/ids.ts';
import type { Engine, Inference } from '../../actors/contracts/inference.ts';
import type { GoldenSamples, ModelManifest } from '../../actors/contracts/model.ts';
import { agentService, DATA_TYPES, MAX_MESSAGE_BYTES, type WireModel, type WireTensor } from './protocol.ts';

const INPUT = 'input0';
const OUTPUT = 'scores';
const FLOAT32 = DATA_TYPES.indexOf('float32');
const DEADLINE_MS = 10_000;
const RESTART_MS = 2_000; // an agent that is away so long may be starting anew

/** A package as it was signed; without it, what it was read into, which an agent takes unsigned only. */
type PackageFiles = ReadonlyMap<string, Uint8Array>;

type Call = <Q extends object, A>(rpc: string, request: Q, wait?: { readonly forAgentMs: number }) => Promise<A>;

/** @param epochNow epoch milliseconds, for the calls' deadlines */
export function agentEngine(socket: string, epochNow: () => number): Engine {
  return {
    async load(manifest, network, golden, files = filesOf(manifest, network, golden)) {
      const model = modelId(manifest.name, manifest.version);
      const { call, close } = connectAgent(socket, epochNow);
      try {
        const remote = await loadRemote(call, model, agentName(manifest, network, golden), files);
        const inference = agentInference(manifest, { call, close, remote });
        await answerGolden(inference, manifest, golden).catch(async (error: unknown) => {
          await inference.close();
          throw error;
        });
        return inference;
      } catch (error) {
        close();
        throw asFleetError(error, model, socket);
      }
    },
  };
}

function agentInference(
  manifest: ModelManifest,
  { call, close, remote }: { readonly call: Call; readonly close: () => void; readonly remote: RemoteModel },
): Inference {
  const features = manifest.signal.features.length;
  const size = features * manifest.signal.window.samples;
  const shape = [1, ...manifest.network.input.slice(1)];
  const model = modelId(manifest.name, manifest.version);
  let open = true;

  const ask = async (window: Float32Array, wait?: { readonly forAgentMs: number }): Promise<Float32Array> => {
    const tensor: WireTensor = {
      tensor_metadata: { name: INPUT, data_type: FLOAT32, shape },
      byte_data: new Uint8Array(window.buffer, window.byteOffset, window.byteLength),
    };
    const { tensors } = await call<object, { tensors: WireTensor[] }>('Predict', { name: remote.name, tensors: [tensor] }, wait);
    const bytes = tensors.find(({ tensor_metadata }) => tensor_metadata?.name === OUTPUT)?.byte_data;
    if (bytes?.length !== features * 4)
      throw new ModelRejected(model, bytes ? `its ${OUTPUT} are ${bytes.length} bytes, not ${features * 4}` : `it has no output ${OUTPUT}`);
    return new Float32Array(new Uint8Array(bytes).buffer); // a copy: it may come unaligned
  };

  const askPatiently = async (window: Float32Array): Promise<Float32Array> => {
    try {
      return await ask(window).catch((error: unknown) => {
        if (codeOf(error) !== status.UNAVAILABLE) throw error;
        return ask(window, { forAgentMs: RESTART_MS });
      });
    } catch (error) {
      if (codeOf(error) !== status.NOT_FOUND || !open) throw error;
      await remote.again();
      return ask(window);
    }
  };

  return {
    model,
    async predict(windows, batch, scores) {
      const answers = Array.from({ length: batch }, async (_, i) => {
        const window = windows.subarray(i * size, (i + 1) * size);
        scores.set(await askPatiently(window), i * features);
      });
      await Promise.all(answers).catch((error: unknown) => {
        throw asFleetError(error, model, '');
      });
    },
    async close() {
      if (!open) return;
      open = false;
      if (remote.isOurs) await call('UnLoadModel', { name: remote.name }).catch(() => {}); // an agent that has gone has unloaded it
      close();
    },
  };
}

interface RemoteModel {
  readonly name: string;
  /** Whether this client loaded it, and so unloads it. */
  readonly isOurs: boolean;
  /** Loads it once more; calls at one time are one call. */
  again(): Promise<void>;
}

async function loadRemote(call: Call, model: string, name: string, files: PackageFiles): Promise<RemoteModel> {
  const load = async (): Promise<boolean> => {
    const folder = await mkdtemp(join(tmpdir(), 'windfleet-agent-'));
    try {
      for (const [file, bytes] of files) await writeFile(join(folder, file), bytes, { mode: 0o600 });
      const { model: loaded } = await call<object, { model: WireModel }>('LoadModel', { url: folder, name });
      const inputs = loaded.input_tensor_metadatas.map((input) => input.name);
      if (!inputs.includes(INPUT)) throw new ModelRejected(model, `it has no input ${INPUT} but ${inputs.join(', ')}`);
      return true;
    } catch (error) {
      if (codeOf(error) === status.ALREADY_EXISTS) return false; // the name tells the content: it is this one
      throw error;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  let loading: Promise<boolean> | null = null;
  let isOurs = await load();
  return {
    name,
    get isOurs() {
      return isOurs;
    },
    async again() {
      loading ??= load().finally(() => {
        loading = null;
      });
      const loadedHere = await loading;
      isOurs ||= loadedHere;
    },
  };
}

function connectAgent(socket: string, epochNow: () => number): { readonly call: Call; readonly close: () => void } {
  const AgentClient = makeGenericClientConstructor(agentService(), 'Agent');
  const client: Client & Record<string, unknown> = new AgentClient(`unix:${resolve(socket)}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
  }) as never;
  const call: Call = (rpc, request, wait) =>
    new Promise((done, failed) => {
      const method = client[rpc] as (
        request: object,
        metadata: Metadata,
        options: { deadline: number },
        callback: (error: ServiceError | null, value: never) => void,
      ) => void;
      const metadata = new Metadata({ waitForReady: wait !== undefined });
      const deadline = epochNow() + (wait?.forAgentMs ?? DEADLINE_MS);
      method.call(client, request, metadata, { deadline }, (error, value) => (error ? failed(error) : done(value)));
    });
  return { call, close: () => client.close() };
}

/** As an agent may call it: name, version, and what tells it from another that calls itself the same. */
function agentName({ name, version }: ModelManifest, network: Uint8Array, golden: GoldenSamples): string {
  const digest = createHash('sha256').update(network).update(JSON.stringify(golden)).digest('hex');
  return `${name}-${version.replace(/[^a-zA-Z0-9]/g, '-')}-${digest.slice(0, 12)}`;
}

const filesOf = (manifest: ModelManifest, network: Uint8Array, golden: GoldenSamples): PackageFiles =>
  new Map([
    ['manifest.json', Buffer.from(JSON.stringify(manifest))],
    [manifest.network.file, network],
    [manifest.golden.file, Buffer.from(JSON.stringify(golden))],
  ]);

const codeOf = (error: unknown): status | null =>
  error instanceof Error && typeof (error as { code?: unknown }).code === 'number' ? (error as ServiceError).code : null;

/** @returns what the caller can act on: the model was refused, or nobody answered. */
function asFleetError(error: unknown, model: string, socket: string): unknown {
  const code = codeOf(error);
  if (code === null) return error;
  const details = (error as ServiceError).details.replace(/\s*Resolution note:\s*$/, '');
  if (code === status.FAILED_PRECONDITION || code === status.INVALID_ARGUMENT)
    return new ModelRejected(model, `the agent says: ${details}`, error);
  const hint =
    code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED
      ? { hint: `is it running? windfleet agent --socket ${socket || 'PATH'}` }
      : {};
  return new RemoteRefused(`the edge agent does not answer for ${model}: ${status[code]}: ${details}`, { cause: error, ...hint });
}
