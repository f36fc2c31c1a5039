/** The agent's JSON configuration, under the keys of the original's: every wrong one is named, unknown ones are left alone. */
import { z } from 'zod';
import { CAPTURE_BUCKET, CAPTURE_PREFIX, EMBED_LIMIT_BYTES } from '../../actors/contracts/capture.ts';
import { ConfigInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import type { ProviderSettings } from './iot-credentials.ts';

export interface CaptureSettings {
  readonly destination: 'Cloud' | 'Disk';
  /** For `Disk`; null: in the data folder. */
  readonly diskPath: string | null;
  /** For `Cloud`. */
  readonly bucket: string;
  readonly prefix: string;
  /** Captures that may wait. */
  readonly bufferSize: number;
  readonly batchSize: number;
  readonly pushMs: number;
  /** Bytes; what is longer is stored beside its record. */
  readonly embedLimit: number;
}

export interface AgentConfig {
  readonly device: string;
  readonly fleet: string;
  readonly region: string;
  readonly capture: CaptureSettings;
  /** Who lends keys for the cloud; null: nobody. */
  readonly provider: ProviderSettings | null;
  /** A folder of public keys (`.pem`), trusted beside the others; null for none. */
  readonly rootCertsPath: string | null;
  readonly isVerbose: boolean;
}

const Name = z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/, 'must be 1 to 128 of letters, digits, : _ -');
const Prefix = z
  .string()
  .max(256)
  .regex(/^[A-Za-z0-9!_.*'()-]+(\/[A-Za-z0-9!_.*'()-]+)*$/, 'must be names with slashes between')
  .refine((text) => !text.split('/').some((part) => /^\.+$/.test(part)), 'must not lead elsewhere');
const Path = z.string().min(1).max(1_024);

const Keys = z.looseObject({
  sagemaker_edge_core_device_name: Name.optional(),
  sagemaker_edge_core_device_uuid: Name.optional(),
  sagemaker_edge_core_device_fleet_name: Name.default('windfleet'),
  sagemaker_edge_core_region: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'is no region, as us-east-1')
    .default('us-east-1'),
  sagemaker_edge_core_root_certs_path: Path.optional(),
  sagemaker_edge_core_folder_prefix: Prefix.default(CAPTURE_PREFIX),
  sagemaker_edge_core_capture_data_destination: z.enum(['Cloud', 'Disk']).default('Disk'),
  sagemaker_edge_core_capture_data_buffer_size: z.int().min(1).max(100_000).default(30),
  sagemaker_edge_core_capture_data_batch_size: z.int().min(1).max(100_000).default(10),
  sagemaker_edge_core_capture_data_push_period_seconds: z.number().positive().max(86_400).default(4),
  sagemaker_edge_core_capture_data_base64_embed_limit: z.int().min(0).max(1_048_576).default(EMBED_LIMIT_BYTES),
  sagemaker_edge_core_capture_data_disk_path: Path.optional(),
  sagemaker_edge_provider_provider: z.string().max(64).optional(),
  sagemaker_edge_provider_aws_ca_cert_file: Path.optional(),
  sagemaker_edge_provider_aws_cert_file: Path.optional(),
  sagemaker_edge_provider_aws_cert_pk_file: Path.optional(),
  sagemaker_edge_provider_aws_iot_cred_endpoint: z
    .url({ protocol: /^https$/, error: 'is no https://HOST/role-aliases/ALIAS/credentials' })
    .max(1_024)
    .optional(),
  sagemaker_edge_provider_s3_bucket_name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no name of a bucket')
    .refine((text) => text.includes('sagemaker'), 'must have `sagemaker` in its name')
    .default(CAPTURE_BUCKET),
  sagemaker_edge_log_verbose: z.boolean().default(false),
});

/** @param text null: nothing was configured. @throws ConfigInvalid for what is no JSON, and naming every wrong key */
export function readAgentConfig(text: string | null, file: string): { readonly config: AgentConfig; readonly warnings: readonly string[] } {
  const raw = text === null ? {} : parseJson(text, file);
  const parsed = Keys.safeParse(raw);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${file}: ${path.join('.') || '(all)'}: ${message}`);
    throw new ConfigInvalid(`the agent's configuration cannot be used:\n${faults.join('\n')}`, {
      hint: 'keys are those of sagemaker_edge_config.json',
    });
  }
  const keys = parsed.data;
  const batchSize = keys.sagemaker_edge_core_capture_data_batch_size;
  const bufferSize = keys.sagemaker_edge_core_capture_data_buffer_size;
  const warnings = Object.keys(keys)
    .filter((key) => !Object.hasOwn(Keys.shape, key))
    .map((key) => `${file}: ${key} is no key of this agent; it is left alone`);
  if (batchSize > bufferSize)
    warnings.push(`${file}: a batch of ${batchSize} never fits the buffer of ${bufferSize}; only the push period stores captures`);
  const provider = providerOf(keys, (text) => warnings.push(`${file}: ${text}`));
  return {
    warnings,
    config: {
      device: keys.sagemaker_edge_core_device_name ?? keys.sagemaker_edge_core_device_uuid ?? 'edge-device',
      fleet: keys.sagemaker_edge_core_device_fleet_name,
      region: keys.sagemaker_edge_core_region,
      provider,
      rootCertsPath: keys.sagemaker_edge_core_root_certs_path ?? null,
      isVerbose: keys.sagemaker_edge_log_verbose,
      capture: {
        destination: keys.sagemaker_edge_core_capture_data_destination,
        diskPath: keys.sagemaker_edge_core_capture_data_disk_path ?? null,
        bucket: keys.sagemaker_edge_provider_s3_bucket_name,
        prefix: keys.sagemaker_edge_core_folder_prefix,
        bufferSize,
        batchSize,
        pushMs: Math.round(keys.sagemaker_edge_core_capture_data_push_period_seconds * 1_000),
        embedLimit: keys.sagemaker_edge_core_capture_data_base64_embed_limit,
      },
    },
  };
}

/** All of it or nothing. @param warn told of what an endpoint lacks */
function providerOf(keys: z.infer<typeof Keys>, warn: (text: string) => void): ProviderSettings | null {
  const {
    sagemaker_edge_provider_aws_iot_cred_endpoint: endpoint,
    sagemaker_edge_provider_aws_ca_cert_file: ca,
    sagemaker_edge_provider_aws_cert_file: certificate,
    sagemaker_edge_provider_aws_cert_pk_file: key,
  } = keys;
  if (endpoint === undefined) return null;
  if (ca !== undefined && certificate !== undefined && key !== undefined) return { endpoint, ca, certificate, key };
  warn(`${endpoint} is not asked for keys: the certificate, its key and its CA must all be named`);
  return null;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigInvalid(`${file}${placeOf(reasonOf(error), text)}: ${reasonOf(error)}`, {
      cause: error,
      hint: 'it must be one JSON object',
    });
  }
}

/** `:line:col` where the parser says a position; its other messages quote the text around the fault. */
function placeOf(message: string, text: string): string {
  const at = /position (\d+)/.exec(message)?.[1] ?? (message.includes('end of JSON') ? text.length : null);
  if (at === null) return '';
  const lines = text.slice(0, Number(at)).split('\n');
  return `:${lines.length}:${lines[lines.length - 1].length + 1}`;
}
