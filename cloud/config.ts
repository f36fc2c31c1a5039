/** The options of `windfleet up` and `windfleet cloud`: defaults < `windfleet.config.{yaml,json}` < `WINDFLEET_*` < flags. Checked once, here. */
import { existsSync, readFileSync } from 'node:fs';
import { isNode, LineCounter, parseDocument, parse as parseYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { ConfigInvalid, reasonOf, UsageError } from '../actors/contracts/errors.ts';
import { QUOTAS } from './jobs/limits.ts';
import { parseRule } from './rules/sql.ts';
import { DOCUMENT_INDEXES, type IndexChoice } from '../actors/contracts/index.ts';
import type { InferenceChoice } from '../actors/contracts/inference.ts';
import { parseDuration } from '../actors/contracts/units.ts';
import { isThingName } from '../actors/contracts/ids.ts';

const Port = z.coerce.number().int().min(0).max(65_535);

const Quota = z.coerce.number().int().min(1).max(1_000_000);

const Duration = z.union([z.string(), z.number()]).transform((text, context) => {
  const ms = parseDuration(String(text));
  if (ms !== null) return ms;
  context.addIssue({ code: 'custom', message: `"${text}" is no duration, as 90s, 8m, 2h` });
  return z.NEVER;
});

const Speed = z.union([z.string(), z.number()]).transform((text, context): number | 'max' => {
  if (text === 'max') return 'max';
  const match = /^(\d+(?:\.\d+)?)x?$/.exec(String(text));
  if (match && Number(match[1]) > 0) return Number(match[1]);
  context.addIssue({ code: 'custom', message: `"${text}" is no speed, as 1x, 100x, max` });
  return z.NEVER;
});

/** `onnx`, `agent:/path`, or in a file `{ kind: agent, socket: /path }`. */
const InferenceOption = z.unknown().transform((raw, context): InferenceChoice => {
  const agent = typeof raw === 'string' ? /^agent:(?:unix:(?:\/\/)?)?(.+)$/.exec(raw) : null;
  const parsed = InferenceKind.safeParse(typeof raw === 'string' ? (agent ? { kind: 'agent', socket: agent[1] } : { kind: raw }) : raw);
  if (parsed.success) return parsed.data;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(raw)} is neither onnx nor agent:/path/of/its/socket` });
  return z.NEVER;
});

const InferenceKind = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('onnx') }),
  z.strictObject({ kind: z.literal('agent'), socket: z.string().min(1).max(107) }),
]);

/** `duckdb`, `elasticsearch:http://127.0.0.1:9200`, or in a file `{ kind: opensearch, node: …, prefix: … }`. */
const IndexOption = z.unknown().transform((raw, context): IndexChoice => {
  const server = typeof raw === 'string' ? /^(elasticsearch|opensearch):(.+)$/.exec(raw) : null;
  const parsed = IndexKind.safeParse(typeof raw === 'string' ? (server ? { kind: server[1], node: server[2] } : { kind: raw }) : raw);
  if (parsed.success) return parsed.data;
  // What was given is not repeated: a URL may hold a password.
  const reasons = parsed.error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`));
  context.addIssue({
    code: 'custom',
    message: `${reasons.join('; ')}; as duckdb, elasticsearch:http://127.0.0.1:9200, or { kind: opensearch, node: https://… }`,
  });
  return z.NEVER;
});

const Node = z.string().superRefine((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  const wrong =
    url === null || !/^https?:$/.test(url.protocol)
      ? 'is no address, as http://127.0.0.1:9200'
      : url.username !== '' || url.password !== ''
        ? 'holds a password: WINDFLEET_INDEX_USERNAME and WINDFLEET_INDEX_PASSWORD are for that'
        : url.search !== '' || url.hash !== ''
          ? 'holds more than an address'
          : null;
  if (wrong !== null) context.addIssue({ code: 'custom', message: wrong });
});

const Server = {
  node: Node,
  prefix: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be small letters, digits, - and _')
    .default('windfleet-'),
};
const IndexKind = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('duckdb') }),
  z.strictObject({ kind: z.literal('elasticsearch'), ...Server }),
  z.strictObject({ kind: z.literal('opensearch'), ...Server }),
]);

/** @throws UsageError */
export function readInference(flag: string): InferenceChoice {
  const parsed = InferenceOption.safeParse(flag);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--inference: ${parsed.error.issues[0].message}`);
}

/** `1x`, `100x`, `max`. @throws UsageError */
export function readSpeed(flag: string): number | 'max' {
  const parsed = Speed.safeParse(flag);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--speed: ${parsed.error.issues[0].message}`);
}

const UpConfig = z.strictObject({
  turbines: z.coerce.number().int().min(0).max(100_000).default(5),
  like: z.string().min(1).default('desk-turbine'),
  /** Several kinds in one farm; then `turbines` and `like` are not read. */
  fleet: z
    .array(z.strictObject({ turbines: z.number().int().min(1).max(100_000), like: z.string().min(1) }))
    .min(1)
    .optional(),
  windFile: z.string().optional(),
  layout: z.string().optional(),
  seed: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
  speed: Speed.default(1),
  for: Duration.optional(),
  /** Threads that run the twins' rows; 1 is the farm's own. */
  workers: z.coerce.number().int().min(1).max(64).default(1),
  profile: z.enum(['demo', 'memory']).default('demo'),
  replay: z.string().optional(),
  inspect: z
    .union([z.string().transform((text) => text.split(',')), z.array(z.string())])
    .pipe(z.array(z.string().refine(isThingName, 'is no name of a turbine')))
    .default([]),
  port: Port.default(7070),
  mqttPort: Port.default(1883),
  /** Absent: 8883 and 8443 or, when they are taken, any. */
  mqttsPort: Port.optional(),
  httpsPort: Port.optional(),
  data: z.string().min(1).default('.windfleet'),
  /** Where packages and captures lie; absent: in the data folder. Keys come from where AWS's SDK looks for them. */
  objects: z
    .strictObject({
      s3: z.strictObject({
        endpoint: z.url({ protocol: /^https?$/ }).optional(),
        region: z.string().min(1).optional(),
        bucketPrefix: z
          .string()
          .regex(/^[a-z0-9][a-z0-9.-]{0,35}$/, 'begins a bucket’s name: at most 36 of a-z, 0-9, - and .')
          .optional(),
      }),
    })
    .optional(),
  /** Only the job transitions that AWS's documents draw: a QUEUED execution must be IN_PROGRESS before it ends. */
  strictJobs: z.union([z.boolean(), z.stringbool()]).default(false),
  /** Quotas one by one, as flags and the environment have them. */
  activeJobs: Quota.optional(),
  jobTemplates: Quota.optional(),
  /** AWS's, where they are not said. */
  jobQuotas: z
    .strictObject({
      activeJobs: z.int().min(1).max(1_000_000).default(QUOTAS.activeJobs),
      templates: z.int().min(1).max(1_000_000).default(QUOTAS.templates),
    })
    .prefault({}),
  /** Rows of rule SQL become documents of an index of one's own. */
  rules: z
    .array(
      z.strictObject({
        sql: z
          .string()
          .max(262_144)
          .transform((sql, context) => {
            try {
              parseRule(sql);
            } catch (error) {
              context.addIssue({ code: 'custom', message: reasonOf(error) });
            }
            return sql;
          }),
        index: z
          .string()
          .regex(/^[a-z][a-z0-9_]{0,40}$/, 'is no name of an index: small letters, digits and _')
          .refine((name) => !DOCUMENT_INDEXES.includes(name), `is an index of the farm’s own: ${DOCUMENT_INDEXES.join(', ')}`),
      }),
    )
    .max(64)
    .default([]),
  json: z.boolean().default(false),
  /** Who asks the models. */
  inference: InferenceOption.prefault('onnx'),
  /** Where documents go. */
  index: IndexOption.prefault('duckdb'),
  /** Absent: what the machine's farm usually has. */
  wind: z
    .strictObject({
      meanMps: z.number().min(0).max(60),
      turbulenceIntensity: z.union([z.number().min(0).max(1), z.enum(['A', 'B', 'C'])]),
      directionDeg: z.number().min(0).max(360).default(270),
      events: z
        .array(
          z.discriminatedUnion('kind', [
            z.strictObject({ kind: z.literal('gust'), at: Duration }),
            z.strictObject({ kind: z.literal('ramp'), at: Duration, over: Duration, toMps: z.number().min(0).max(60) }),
          ]),
        )
        .default([]),
    })
    .optional(),
});

export type UpOptions = z.infer<typeof UpConfig> & {
  /** Nobody said how many turbines: a recording then plays alone. */
  readonly turbinesByDefault: boolean;
  /** Of the server that the index is in: from the environment, never from a file or a flag. */
  readonly indexCredentials: IndexCredentials;
};

export interface IndexCredentials {
  readonly apiKey?: string;
  readonly username?: string;
  readonly password?: string;
}

/** What a cloud without a farm reads of them. */
export type CloudOptions = Pick<
  UpOptions,
  | 'profile'
  | 'port'
  | 'mqttPort'
  | 'mqttsPort'
  | 'httpsPort'
  | 'data'
  | 'objects'
  | 'index'
  | 'indexCredentials'
  | 'strictJobs'
  | 'jobQuotas'
  | 'rules'
>;

export const CONFIG_FILES = ['windfleet.config.yaml', 'windfleet.config.json'] as const;

const FROM_ENVIRONMENT: Readonly<Record<string, string>> = {
  WINDFLEET_TURBINES: 'turbines',
  WINDFLEET_LIKE: 'like',
  WINDFLEET_SEED: 'seed',
  WINDFLEET_SPEED: 'speed',
  WINDFLEET_WORKERS: 'workers',
  WINDFLEET_PROFILE: 'profile',
  WINDFLEET_PORT: 'port',
  WINDFLEET_MQTT_PORT: 'mqttPort',
  WINDFLEET_MQTTS_PORT: 'mqttsPort',
  WINDFLEET_HTTPS_PORT: 'httpsPort',
  WINDFLEET_DATA: 'data',
  WINDFLEET_INFERENCE: 'inference',
  WINDFLEET_INDEX: 'index',
  WINDFLEET_STRICT_JOBS: 'strictJobs',
  WINDFLEET_ACTIVE_JOBS: 'activeJobs',
  WINDFLEET_JOB_TEMPLATES: 'jobTemplates',
};

/** @param flags what the command line gave. @throws ConfigInvalid naming every wrong path and where it came from. */
export function readUpOptions(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
  folder = '.',
  command: 'up' | 'cloud' = 'up',
): UpOptions {
  const file = CONFIG_FILES.map((name) => `${folder}/${name}`).find((path) => existsSync(path));
  const fromFile = file === undefined ? {} : readConfigFile(file);
  const fromEnvironment = Object.fromEntries(
    Object.entries(FROM_ENVIRONMENT).flatMap(([name, key]) => (environment[name] === undefined ? [] : [[key, environment[name]]])),
  );
  const raw = { ...fromFile, ...fromEnvironment, ...flags };
  const parsed = UpConfig.safeParse(raw);
  if (parsed.success) {
    if (parsed.data.profile === 'memory' && parsed.data.inference.kind === 'agent')
      throw new ConfigInvalid('a farm of the memory profile signs with a key that no agent can know', {
        hint: 'use the demo profile, and start the agent on its keys: windfleet agent --data .windfleet',
      });
    if (command === 'up' && parsed.data.profile === 'memory' && parsed.data.index.kind !== 'duckdb')
      throw new ConfigInvalid(`a farm of the memory profile keeps its documents in memory, not in ${parsed.data.index.kind}`, {
        hint: 'use the demo profile',
      });
    const { activeJobs, jobTemplates, jobQuotas } = parsed.data;
    return {
      ...parsed.data,
      jobQuotas: { activeJobs: activeJobs ?? jobQuotas.activeJobs, templates: jobTemplates ?? jobQuotas.templates },
      turbinesByDefault: !('turbines' in raw),
      indexCredentials: credentialsIn(environment),
    };
  }
  const sources = parsed.error.issues.map((issue) => {
    const [key] = issue.path;
    const source =
      typeof key !== 'string'
        ? (file ?? 'options')
        : key in flags
          ? `--${kebab(key)}`
          : key in fromEnvironment
            ? environmentName(key)
            : file !== undefined && key in fromFile
              ? placeIn(file, issue.path)
              : (file ?? 'options');
    return `${source}: ${issue.path.join('.') || '(all)'}: ${issue.message}`;
  });
  throw new ConfigInvalid(`the configuration cannot be used:\n${sources.join('\n')}`, {
    hint: `windfleet ${command} --help names the options`,
  });
}

function credentialsIn(environment: Readonly<Record<string, string | undefined>>): IndexCredentials {
  const given = (name: string, key: keyof IndexCredentials) => (environment[name] ? { [key]: environment[name] } : {});
  return {
    ...given('WINDFLEET_INDEX_API_KEY', 'apiKey'),
    ...given('WINDFLEET_INDEX_USERNAME', 'username'),
    ...given('WINDFLEET_INDEX_PASSWORD', 'password'),
  };
}

/** Where objects lie, for commands that work on a data folder beside the cloud. @throws ConfigInvalid */
export function readObjectsOption(folder = '.'): UpOptions['objects'] {
  const file = CONFIG_FILES.map((name) => `${folder}/${name}`).find((path) => existsSync(path));
  const { objects } = file === undefined ? {} : readConfigFile(file);
  const parsed = UpConfig.shape.objects.safeParse(objects);
  if (parsed.success) return parsed.data;
  throw new ConfigInvalid(`the configuration cannot be used:\n${file}: objects: ${parsed.error.issues[0].message}`);
}

/** `file:line:col` of the value at a path, or of what is nearest above it. */
function placeIn(file: string, path: readonly PropertyKey[]): string {
  const lineCounter = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter });
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (!isNode(node) || !node.range) continue;
    const { line, col } = lineCounter.linePos(node.range[0]);
    return `${file}:${line}:${col}`;
  }
  return file;
}

function readConfigFile(file: string): Record<string, unknown> {
  try {
    const raw: unknown = parseYaml(readFileSync(file, 'utf8')); // JSON is YAML
    if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    const [start] = error.linePos ?? [];
    throw new ConfigInvalid(`${file}:${start?.line ?? 1}:${start?.col ?? 1}: ${error.message.split('\n')[0]}`, { cause: error });
  }
  throw new ConfigInvalid(`${file}:1:1: it must hold options by name`, { hint: 'as turbines: 7' });
}

const kebab = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const environmentName = (key: string) => Object.keys(FROM_ENVIRONMENT).find((name) => FROM_ENVIRONMENT[name] === key) ?? key;
