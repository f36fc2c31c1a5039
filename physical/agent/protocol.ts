/** The agent's messages as this process has them, and its service, read from `agent.proto`. */
import { join } from 'node:path';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { TensorType } from '../../actors/contracts/inference.ts';

/** The file that clients generate their stubs from; it lies in the package beside the sources. */
export const PROTO_FILE = join(import.meta.dirname, '../../../physical/agent/agent.proto');

/** Neither side takes a longer message. */
export const MAX_MESSAGE_BYTES = 16 * 2 ** 20;

/** Where the original's clients look for it. */
export const DEFAULT_SOCKET = '/tmp/edge_agent';

/** In the order of the protocol's numbers. */
export const DATA_TYPES: readonly TensorType[] = ['uint8', 'int16', 'int32', 'int64', 'float16', 'float32', 'float64'];

export const CaptureStatus = { FAILURE: 0, SUCCESS: 1, IN_PROGRESS: 2, NOT_FOUND: 3 } as const;
export type CaptureStatus = (typeof CaptureStatus)[keyof typeof CaptureStatus];

export interface WireMetadata {
  readonly name: string;
  readonly data_type: number;
  readonly shape: readonly number[];
}

/** What comes in place of bytes; this agent cannot reach it. */
interface WireSharedMemory {
  readonly size: number;
  readonly offset: number;
  readonly segment_id: number;
}

export interface WireTensor {
  readonly tensor_metadata: WireMetadata | null;
  readonly byte_data?: Uint8Array;
  readonly shared_memory_handle?: WireSharedMemory | null;
}

export interface WireAuxiliary {
  readonly name: string;
  readonly encoding: number;
  readonly byte_data?: Uint8Array;
  readonly shared_memory_handle?: WireSharedMemory | null;
}

export interface WireModel {
  readonly url: string;
  readonly name: string;
  readonly input_tensor_metadatas: readonly WireMetadata[];
  readonly output_tensor_metadatas: readonly WireMetadata[];
}

export interface WireCapture {
  readonly model_name: string;
  readonly capture_id: string;
  readonly inference_timestamp: { readonly seconds: number; readonly nanos: number } | null;
  readonly input_tensors: readonly WireTensor[];
  readonly output_tensors: readonly WireTensor[];
  readonly inputs: readonly WireAuxiliary[];
  readonly outputs: readonly WireAuxiliary[];
}

/** The protocol's rule; a name of 128 characters at most, so that it fits a path. */
export const isModelName = (text: string): boolean => text.length <= 128 && /^[a-zA-Z0-9](-*[a-zA-Z0-9])*$/.test(text);

/** Reads the file: once a process, at its start. */
export function agentService(): ServiceDefinition {
  const definition = loadSync(PROTO_FILE, { keepCase: true, longs: Number, enums: Number, defaults: true, oneofs: true });
  return definition['AWS.SageMaker.Edge.Agent'] as ServiceDefinition;
}
