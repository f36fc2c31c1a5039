/** The edge agent: `AWS.SageMaker.Edge.Agent` on a unix socket. Whatever a call brings, it gets a status, and the next is served. */
import type { KeyObject } from 'node:crypto';
import { type handleUnaryCall, type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall, status } from '@grpc/grpc-js';
import type { Clock } from '../../actors/contracts/clock.ts';
import { EnvironmentLacking } from '../../actors/contracts/errors.ts';
import type { TensorEngine } from '../../actors/contracts/inference.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { CaptureSink } from './capture-sink.ts';
import { openCapture } from './capture.ts';
import { readCapture, readCaptureId } from './capture-request.ts';
import type { AgentConfig } from './config.ts';
import { type ModelFacts, openModels } from './models.ts';
import { agentService, MAX_MESSAGE_BYTES, type WireCapture, type WireTensor } from './protocol.ts';
import { Refusal, statusOf } from './refusal.ts';
import { claimSocket } from './socket.ts';

export interface AgentOptions {
  readonly socket: string;
  readonly config: AgentConfig;
  readonly engine: TensorEngine;
  readonly clock: Clock;
  readonly log: Log;
  readonly trustedKeys: readonly KeyObject[];
  readonly allowUnsigned: boolean;
  /** For all loaded models together. */
  readonly memoryBytes: number;
  /** From which a relative url counts. */
  readonly folder: string;
  /** `x64`, `arm64`. */
  readonly target: string;
  /** Null: captures are refused. */
  readonly sink: CaptureSink | null;
}

export interface AgentCounts {
  readonly predictions: number;
  readonly refused: number;
  readonly capturesWaiting: number;
  readonly capturesStored: number;
  readonly capturesFailed: number;
}

export interface Agent {
  /** The whole path. */
  readonly socket: string;
  counts(): AgentCounts;
  models(): readonly ModelFacts[];
  /** Answers what was asked, stores what was captured, frees the models and takes the socket away. */
  close(): Promise<void>;
}

const LAST_CALLS_MS = 5_000;

/** @throws UsageError, EnvironmentLacking when the socket cannot be had. */
export async function openAgent(options: AgentOptions): Promise<Agent> {
  const { config, clock, log, sink } = options;
  const { device, fleet, capture: settings } = config;
  const place = await claimSocket(options.socket);
  const models = openModels(options);
  const versionOf = (name: string) => models.facts().find((model) => model.name === name)?.version ?? null;
  const capture = sink && openCapture({ clock, log, sink, settings, device, fleet, versionOf });
  const epochNow = () => clock.epoch + clock.now();
  let refused = 0;
  let predictions = 0;

  const answer =
    <Q, A>(rpc: string, reply: (request: Q, call: ServerUnaryCall<Q, A>) => A | Promise<A>): handleUnaryCall<Q, A> =>
    async (call: ServerUnaryCall<Q, A>, send: sendUnaryData<A>) => {
      try {
        send(null, await reply(call.request, call));
      } catch (error) {
        refused++;
        const { code, details } = statusOf(error);
        if (code === status.INTERNAL) log.error({ rpc, reason: details }, 'a call failed');
        else log.debug({ rpc, status: status[code], reason: details }, 'a call was refused');
        send({ code, details });
      }
    };

  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1, // an answer is as long as the model makes it
  });
  server.addService(agentService(), {
    Predict: answer('Predict', async ({ name, tensors }: { name: string; tensors: WireTensor[] }, call) => {
      const outputs = await models.predict(name, tensors, () => call.cancelled);
      predictions++;
      return { tensors: outputs };
    }),
    LoadModel: answer('LoadModel', async ({ url, name }: { url: string; name: string }) => ({ model: await models.load(url, name) })),
    UnLoadModel: answer('UnLoadModel', async ({ name }: { name: string }) => {
      await models.unload(name);
      return {};
    }),
    ListModels: answer('ListModels', () => ({ models: models.list() })),
    DescribeModel: answer('DescribeModel', ({ name }: { name: string }) => ({ model: models.describe(name) })),
    CaptureData: answer('CaptureData', (request: WireCapture) => {
      if (!capture) throw new Refusal(status.FAILED_PRECONDITION, 'captures go to the cloud, and this agent has no store for them');
      capture.submit(readCapture(request, epochNow()));
      return {};
    }),
    GetCaptureDataStatus: answer('GetCaptureDataStatus', ({ capture_id }: { capture_id: string }) => {
      const id = readCaptureId(capture_id);
      if (!capture) throw new Refusal(status.NOT_FOUND, `no capture ${id}`);
      return { status: capture.status(id) };
    }),
  });

  try {
    await new Promise<void>((bound, failed) =>
      server.bindAsync(`unix:${place.aside}`, ServerCredentials.createInsecure(), (error) => (error ? failed(error) : bound())),
    );
    place.open();
  } catch (error) {
    server.forceShutdown();
    place.remove();
    throw new EnvironmentLacking(`the socket ${place.path} cannot be bound`, { cause: error, hint: 'choose another place with --socket' });
  }

  return {
    socket: place.path,
    counts: () => ({
      predictions,
      refused,
      capturesWaiting: capture?.waiting ?? 0,
      capturesStored: capture?.stored ?? 0,
      capturesFailed: capture?.failed ?? 0,
    }),
    models: models.facts,
    async close() {
      place.remove(); // nobody new finds it
      const late = clock.setTimeout(() => server.forceShutdown(), LAST_CALLS_MS);
      await new Promise<void>((ended) => server.tryShutdown(() => ended()));
      clock.clearTimeout(late);
      await models.close();
      await capture?.close();
    },
  };
}
