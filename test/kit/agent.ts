/** An edge agent in this process on a socket of its own, and a client that speaks its protocol. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, credentials, makeGenericClientConstructor, type ServiceError, status } from '@grpc/grpc-js';
import { silentLog } from '../../actors/contracts/log.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { onnxTensors } from '../../actors/inference/tensors.ts';
import { unpackTar } from '../../actors/package/tar.ts';
import { packModel } from '../../actors/package/package.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { objectSink } from '../../physical/agent/capture-sink.ts';
import { readAgentConfig } from '../../physical/agent/config.ts';
import { agentService } from '../../physical/agent/protocol.ts';
import { type AgentOptions, openAgent } from '../../physical/agent/server.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { scratchFolder } from './farm-process.ts';
import { starter } from './packages.ts';

export const BUCKET = 'windfleet-sagemaker-captures';

export interface Reply {
  readonly code: keyof typeof status;
  readonly details: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the wire gives, looked into by tests
  readonly value: any;
}

export type Ask = (rpc: string, request?: object, options?: { readonly deadlineMs?: number }) => Promise<Reply>;

/** Calls by their name in the protocol; what was refused is an answer too. */
export function agentClient(socket: string): { readonly ask: Ask; close(): void } {
  const AgentClient = makeGenericClientConstructor(agentService(), 'Agent');
  const client = new AgentClient(`unix:${socket}`, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    'grpc.max_receive_message_length': -1,
  }) as Client & Record<string, (request: object, options: object, done: (error: ServiceError | null, value: unknown) => void) => void>;
  return {
    ask: (rpc, request = {}, { deadlineMs = 30_000 } = {}) =>
      new Promise((done) =>
        client[rpc](request, { deadline: Date.now() + deadlineMs }, (error, value) =>
          done({ code: status[error?.code ?? 0] as Reply['code'], details: error?.details ?? '', value }),
        ),
      ),
    close: () => client.close(),
  };
}

/** With an own key, memory for a store, and a working folder that holds a signed package, packed and unpacked. */
export async function startTestAgent(change: Partial<AgentOptions> = {}, config = '{}') {
  const folder = scratchFolder();
  const key = generateKey();
  const { bytes } = packModel(starter(), key.privateKey);
  writeFileSync(join(folder, 'model.tar.gz'), bytes);
  unpackInto(join(folder, 'model'), unpackTar(bytes));
  const objects = memoryObjects();
  const options: AgentOptions = {
    socket: join(folder, 'edge_agent'),
    config: readAgentConfig(config, 'config.json').config,
    engine: onnxTensors(),
    clock: wallClock(),
    log: silentLog,
    trustedKeys: [key.publicKey],
    allowUnsigned: false,
    memoryBytes: 64 * 2 ** 20,
    folder,
    target: process.arch,
    sink: objectSink(objects, BUCKET),
    ...change,
  };
  const agent = await openAgent(options);
  return { agent, options, folder, key, objects, ...agentClient(agent.socket) };
}

export function unpackInto(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
}

/** One window for the starter model, as the original's client sends it. */
export const windowTensor = (fill = 0, name = 'input0') => floats(name, [1, 16, 100], new Array(1_600).fill(fill));

export const floats = (name: string, shape: readonly number[], values: readonly number[]) => ({
  tensor_metadata: { name, data_type: 5, shape },
  byte_data: Buffer.from(Float32Array.from(values).buffer),
});

/** What the original's application captures of one prediction. */
export const captureRequest = (id: string = randomUUID(), values: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) => ({
  model_name: 'WindTurbineAnomalyDetection-1-0',
  capture_id: id,
  input_tensors: [floats('input', [values.length], values)],
  output_tensors: [
    floats(
      'output',
      [values.length],
      values.map((value) => (value > 0.45 ? 1 : 0)),
    ),
  ],
});
