/** `manifest.json` and `golden.json`, parsed at the door: every wrong path is named. */
import { z } from 'zod';
import { ModelRejected } from '../contracts/errors.ts';
import type { GoldenSamples, ModelManifest } from '../contracts/model.ts';
import type { UpdateCode } from '../contracts/update-codes.ts';
import { parseJson } from './json.ts';
import { isVersion } from './version.ts';

const MANIFEST_BYTES = 2 ** 20;
const GOLDEN_BYTES = 64 * 2 ** 20;

const SCHEMA = 'windfleet.model/v1';
const Name = z.string().regex(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,63}$/, 'must be letters, digits and inner dashes, 64 at most');
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex');
const FileName = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/, 'must be a plain file name');

const Feature = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/),
  op: z.string().max(40),
  channels: z.array(z.string().max(40)).min(1).max(16),
  parameters: z.record(z.string().max(40), z.number()),
  mean: z.number(),
  std: z.number().positive(),
});

const Manifest = z
  .strictObject({
    schema: z.literal(SCHEMA),
    name: Name,
    version: z.string().refine(isVersion, 'must be SemVer, as 1.2.3'),
    sequence: z.int().min(1),
    expires: z.iso.datetime().nullable(),
    fleet: z.string().min(1).max(128),
    machine: z.string().min(1).max(64),
    target: z.enum(['any', 'x64', 'arm64']),
    network: z.strictObject({
      file: FileName,
      sha256: Sha256,
      input: z.array(z.int()).min(2).max(4),
      opset: z.int().min(1).max(1_000).optional(),
      ir: z.int().min(1).max(1_000).optional(),
    }),
    signal: z.strictObject({
      pipeline: z.enum(['stream', 'seed-db6']),
      rateHz: z.number().positive().max(1_000),
      window: z.strictObject({ samples: z.int().min(1).max(10_000), hop: z.int().min(1).max(10_000), settle: z.int().min(0).max(100_000) }),
      features: z.array(Feature).min(1).max(64),
    }),
    thresholds: z.array(z.strictObject({ feature: z.string(), mae: z.number().positive() })),
    persistence: z.int().min(1).max(100),
    golden: z.strictObject({ file: FileName, tolerance: z.number().positive().max(1) }),
    lineage: z.record(z.string(), z.union([z.string(), z.number()])),
  })
  .superRefine((manifest, context) => {
    const names = manifest.signal.features.map((feature) => feature.name);
    if (new Set(names).size !== names.length)
      context.addIssue({ code: 'custom', path: ['signal', 'features'], message: 'two features have the same name' });
    if (manifest.thresholds.map((t) => t.feature).join() !== names.join())
      context.addIssue({ code: 'custom', path: ['thresholds'], message: `must name the features in their order: ${names.join(', ')}` });
    if (manifest.signal.window.hop > manifest.signal.window.samples)
      context.addIssue({ code: 'custom', path: ['signal', 'window', 'hop'], message: 'must not be longer than the window' });
    if (manifest.signal.pipeline !== 'seed-db6') return;
    if (manifest.signal.window.settle !== 0)
      context.addIssue({ code: 'custom', path: ['signal', 'window', 'settle'], message: 'must be 0 with seed-db6' });
    for (const [i, { parameters }] of manifest.signal.features.entries())
      if (!(parameters['sigma'] >= 0))
        context.addIssue({ code: 'custom', path: ['signal', 'features', i, 'parameters', 'sigma'], message: 'must be ≥ 0 with seed-db6' });
  });

const GOLDEN_MAX = 256;
const Golden = z.strictObject({ windows: z.array(z.array(z.number())).min(1).max(GOLDEN_MAX), scores: z.array(z.array(z.number())) });
type Golden = z.infer<typeof Golden>;

/** @throws ModelRejected naming every wrong path. */
export function parseManifest(bytes: Uint8Array): ModelManifest {
  const { schema } = parseJson(z.object({ schema: z.unknown() }), bytes, MANIFEST_BYTES, refused('manifest.json', 'manifest.malformed'));
  if (schema !== SCHEMA)
    throw refused('manifest.json', 'manifest.schema')(`has schema ${JSON.stringify(schema)?.slice(0, 80)}, not ${SCHEMA}`);
  return parseJson(Manifest, bytes, MANIFEST_BYTES, refused('manifest.json', 'manifest.malformed'));
}

/** @throws ModelRejected naming every wrong path. */
export const parseGolden = (bytes: Uint8Array): GoldenSamples =>
  parseJson(Golden, bytes, GOLDEN_BYTES, refused('golden.json', 'golden.malformed'), isGolden);

/** They are thousands of numbers, and a schema looks at each for longer than JSON takes to read it. */
function isGolden(value: unknown): value is Golden {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
  const { windows, scores } = value as Record<string, unknown>;
  return areNumbers(windows) && areNumbers(scores) && windows.length >= 1 && windows.length <= GOLDEN_MAX;
}

function areNumbers(lists: unknown): lists is number[][] {
  if (!Array.isArray(lists)) return false;
  for (const list of lists) {
    if (!Array.isArray(list)) return false;
    for (let i = 0; i < list.length; i++) if (!Number.isFinite(list[i])) return false;
  }
  return true;
}

const refused = (file: string, reason: UpdateCode) => (why: string, cause?: unknown) =>
  new ModelRejected('package', `${file} ${why}`, cause, reason);
