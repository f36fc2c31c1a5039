/** What of a processor decides how ONNX Runtime computes: digests are the same where these are. */
import { existsSync, readFileSync } from 'node:fs';

const FEATURES = [
  'sse4_1',
  'avx',
  'avx2',
  'fma',
  'f16c',
  'avx512f',
  'avx512vl',
  'avx512_vnni',
  'avx_vnni',
  'amx_tile',
  'asimd',
  'asimddp',
  'i8mm',
  'sve',
];

/** `x64 avx2 fma avx512f` */
export function vectorFeatures(arch: string, file = '/proc/cpuinfo'): string {
  const [, flags = ''] = existsSync(file) ? (/^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync(file, 'utf8')) ?? []) : [];
  const has = new Set(flags.trim().split(/\s+/));
  return [arch, ...FEATURES.filter((feature) => has.has(feature))].join(' ');
}
