/** Well-signed packages that lie: their manifest, their golden samples, their network. */
import { sha256Hex } from '../../../actors/package/digest.ts';
import { HOSTILE_NETWORKS } from '../hostile-networks.ts';
import { flipped } from '../tampered.ts';
import type { HostileBench } from './bench.ts';

export function manifests({ add, signed }: HostileBench): void {
  const manifest = (change: (text: Record<string, unknown>) => unknown) =>
    signed((files) => {
      const parsed = JSON.parse(Buffer.from(files.get('manifest.json')!).toString());
      files.set('manifest.json', Buffer.from(JSON.stringify(change(parsed) ?? parsed)));
    });
  const text = (change: (text: string) => string) =>
    signed((files) => files.set('manifest.json', Buffer.from(change(Buffer.from(files.get('manifest.json')!).toString()))));
  const set = (path: string, value: unknown) =>
    manifest((m) => {
      const parts = path.split('.');
      // biome-ignore lint/suspicious/noExplicitAny: any path of it
      const at = parts.slice(0, -1).reduce((one: any, part) => one[part], m);
      if (value === undefined) delete at[parts.at(-1)!];
      else at[parts.at(-1)!] = value;
    });
  add('expired', set('expires', '2025-12-31T23:59:59Z'), 'manifest.expired');
  add('expired at this very instant', set('expires', '2026-01-01T00:00:00Z'), 'manifest.expired');
  add('for another fleet', set('fleet', 'somebody-elses-farm'), 'manifest.fleet');
  add('for another machine', set('machine', 'nrel-5mw'), 'manifest.machine');
  add('for another processor', set('target', process.arch === 'x64' ? 'arm64' : 'x64'), 'manifest.target');
  add('the sequence of what is installed', set('sequence', 5), 'manifest.sequence');
  add('an older sequence', set('sequence', 1), 'manifest.sequence');
  add('another name inside', set('name', 'heavy'), 'manifest.model');
  add('another version inside', set('version', '3.0.0'), 'manifest.model');
  add('an older version inside', set('version', '0.9.0'), 'manifest.model');
  add('another schema', set('schema', 'windfleet.model/v2'), 'manifest.schema');
  add('no schema', set('schema', undefined), 'manifest.malformed');
  add('a channel that nobody senses', set('signal.features.0.channels', ['flux']), 'manifest.channels');
  add('an operation that nobody has', set('signal.features.0.op', 'eval'), 'manifest.signal');
  add('an operation with too few channels', set('signal.features.0.op', 'roll'), 'manifest.signal');
  for (const field of [
    'name',
    'version',
    'sequence',
    'expires',
    'fleet',
    'machine',
    'target',
    'network',
    'signal',
    'thresholds',
    'persistence',
    'golden',
    'lineage',
  ])
    add(`no ${field}`, set(field, undefined), 'manifest.malformed');
  const wrong: readonly [string, unknown][] = [
    ['version', '2'],
    ['version', 2],
    ['version', '2.0.0+build'],
    ['version', '02.0.0'],
    ['sequence', 0],
    ['sequence', -1],
    ['sequence', 1.5],
    ['sequence', '10'],
    ['sequence', 1e30],
    ['expires', 'tomorrow'],
    ['expires', 0],
    ['fleet', ''],
    ['target', 'mips'],
    ['persistence', 0],
    ['persistence', 1e9],
    ['name', '../../x'],
    ['name', 'a'.repeat(200)],
    ['network.file', '../compiled.onnx'],
    ['network.file', '/etc/passwd'],
    ['network.input', 'all'],
    ['network.input', []],
    ['network.sha256', 'x'],
    ['signal.pipeline', 'shell'],
    ['signal.rateHz', 0],
    ['signal.window.samples', 0],
    ['signal.window.samples', 1e9],
    ['signal.window.hop', 1_000],
    ['signal.window.settle', -1],
    ['signal.features', []],
    ['signal.features.0.std', 0],
    ['signal.features.0.std', -1],
    ['signal.features.0.name', 'Ä'],
    ['signal.features.1.name', 'feature_0'],
    ['thresholds', []],
    ['thresholds.0.mae', 0],
    ['thresholds.0.mae', null],
    ['thresholds.0.feature', 'other'],
    ['golden.file', '..'],
    ['golden.tolerance', 2],
    ['golden.tolerance', 0],
    ['lineage', []],
    ['lineage.deep', {}],
  ];
  for (const [path, value] of wrong) add(`${path} is ${JSON.stringify(value).slice(0, 30)}`, set(path, value), 'manifest.malformed');
  add('a manifest with a field too many', set('colour', 'red'), 'manifest.malformed');
  add(
    'a prototype',
    text((t) => t.replace('{', '{"__proto__":{"sequence":99},')),
    'manifest.malformed',
  );
  add(
    'NaN',
    text((t) => t.replace(/"persistence":\d+/, '"persistence":NaN')),
    'manifest.malformed',
  );
  add(
    'an infinite threshold',
    text((t) => t.replace(/"mae":[\d.]+/, '"mae":1e999')),
    'manifest.malformed',
  );
  add(
    'two hundred thousand brackets',
    text(() => `${'['.repeat(200_000)}${']'.repeat(200_000)}`),
    'manifest.malformed',
    'archive.bomb',
    'manifest.schema',
  );
  add(
    'a manifest of two megabytes',
    text((t) => t + ' '.repeat(2 ** 21)),
    'manifest.malformed',
    'archive.bomb',
  );
  add(
    'a manifest that is a list',
    text((t) => `[${t}]`),
    'manifest.malformed',
  );
  add(
    'an empty manifest',
    text(() => ''),
    'manifest.malformed',
  );
  add(
    'a manifest in UTF-16',
    signed((files) => files.set('manifest.json', Buffer.from(`\ufeff${Buffer.from(files.get('manifest.json')!)}`, 'utf16le'))),
    'manifest.malformed',
  );
  add(
    'a network that its manifest does not name',
    signed((files) => files.set('compiled.onnx', flipped(files.get('compiled.onnx')!))),
    'network.digest',
  );
}

export function goldens({ add, signed }: HostileBench): void {
  const golden = (change: (text: { windows: unknown[]; scores: unknown[] }) => unknown) =>
    signed((files) => {
      const parsed = JSON.parse(Buffer.from(files.get('golden.json')!).toString());
      files.set('golden.json', Buffer.from(JSON.stringify(change(parsed) ?? parsed)));
    });
  const raw = (text: string) => signed((files) => files.set('golden.json', Buffer.from(text)));
  const row = (g: { scores: unknown[] }, i: number) => g.scores[i] as unknown[];
  add(
    'a golden answer that is off',
    golden((g) => {
      row(g, 0)[0] = 99;
    }),
    'golden.wrong',
  );
  add(
    'a last golden answer that is off by little',
    golden((g) => {
      row(g, 2)[3] = (row(g, 2)[3] as number) * 1.01;
    }),
    'golden.wrong',
  );
  add(
    'golden windows of another order',
    golden((g) => void g.windows.reverse()),
    'golden.wrong',
  );
  add(
    'a golden answer that is NaN',
    golden((g) => {
      row(g, 0)[0] = null;
    }),
    'golden.malformed',
  );
  add(
    'a golden answer that is infinite',
    signed((files) =>
      files.set(
        'golden.json',
        Buffer.from(
          Buffer.from(files.get('golden.json')!)
            .toString()
            .replace(/"scores":\[\[[^,]+/, '"scores":[[1e999'),
        ),
      ),
    ),
    'golden.malformed',
  );
  add(
    'no golden windows',
    golden((g) => {
      g.windows = [];
    }),
    'golden.malformed',
  );
  add(
    'no golden samples at all',
    golden((g) => {
      g.windows = [];
      g.scores = [];
    }),
    'golden.malformed',
  );
  add(
    'a golden answer too few',
    golden((g) => void g.scores.pop()),
    'golden.malformed',
  );
  add(
    'a golden window that is too short',
    golden((g) => void (g.windows[0] as unknown[]).pop()),
    'golden.malformed',
  );
  add(
    'a golden answer of too few features',
    golden((g) => void row(g, 1).pop()),
    'golden.malformed',
  );
  add(
    '257 golden windows',
    golden((g) => {
      g.windows = Array.from({ length: 257 }, () => []);
    }),
    'golden.malformed',
  );
  add(
    'texts for golden samples',
    golden((g) => {
      g.windows[0] = ['1'];
    }),
    'golden.malformed',
  );
  add('golden samples that are none', raw('[]'), 'golden.malformed');
  add('golden samples cut off', raw('{"windows":[[0,'), 'golden.malformed');
}

/** Each signed, and named by its manifest with the digest that it has: only reading it can tell. */
export function networks({ add, signed }: HostileBench): void {
  for (const [name, network] of HOSTILE_NETWORKS) {
    if (network.length > 2 ** 23) continue; // by their length alone: no package for them
    add(
      `a network with ${name}`,
      signed((files) => {
        const parsed = JSON.parse(Buffer.from(files.get('manifest.json')!).toString());
        parsed.network.sha256 = sha256Hex(network);
        files.set('manifest.json', Buffer.from(JSON.stringify(parsed)));
        files.set('compiled.onnx', network);
      }),
      ...(name.startsWith('external data') && !name.includes('sparse')
        ? (['network.external'] as const)
        : (['network.malformed', 'network.operator', 'network.limit', 'network.shape'] as const)),
    );
  }
}
