import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

/** The folder of package.json, wherever this file was compiled to. */
const root = packageRoot(import.meta.dirname);

/** Who may import whom, by longest matching prefix. What composes may import anything. */
const mayImport: Record<string, readonly string[]> = {
  'actors/contracts': ['actors/contracts'],
  'actors/signal': ['actors/contracts', 'actors/signal'],
  'actors/dataplane': ['actors/contracts', 'actors/signal', 'actors/dataplane'],
  'actors/package': ['actors/contracts', 'actors/package', 'zod'],
  'actors/onnx': ['actors/contracts', 'actors/onnx'],
  'actors/inference': ['actors/contracts', 'actors/onnx', 'actors/inference', 'onnxruntime-node'],
  'actors/ota': ['actors', 'xstate', 'zod'],
  actors: ['actors', 'xstate', '@xstate/inspect'],
  twins: ['actors/contracts', 'actors/signal', 'twins', 'faker'],
  'twins/library': ['actors/contracts', 'twins', 'zod', 'yaml'],
  physical: ['actors/contracts', 'actors/signal', 'actors/package', 'physical', 'serialport', 'zod'],
  'physical/agent': [
    'actors/contracts',
    'actors/package',
    'physical',
    'zod',
    '@grpc/grpc-js',
    '@grpc/proto-loader',
    '@aws-sdk/client-s3',
    '@smithy/signature-v4',
    '@aws-crypto/sha256-js',
  ],
  cloud: ['actors/contracts', 'actors/package', 'cloud', 'zod', 'yaml', 'pino'],
  'cloud/bus': ['actors/contracts', 'cloud', 'mqtt', 'aws-iot-device-sdk-v2'],
  'cloud/jobs': ['actors/contracts', 'cloud', 'zod', 'libsql'],
  'cloud/things': ['actors/contracts', 'cloud', 'zod', 'libsql', '@peculiar/x509'],
  'cloud/index': ['actors/contracts', 'cloud', 'zod', '@duckdb/node-api', '@elastic/elasticsearch', '@opensearch-project/opensearch'],
  'cloud/console': ['actors/contracts', 'cloud', 'zod', 'fastify', '@fastify/static', '@fastify/swagger', 'prom-client'],
  'cloud/console/web': ['actors/contracts', 'cloud/console/web', 'preact', '@preact/signals', '@preact/preset-vite', 'vite', 'uplot'],
  'cloud/objects': ['actors/contracts', 'cloud', 'zod', '@aws-sdk/client-s3'],
  'cloud/studio': ['actors/contracts', 'actors/onnx', 'actors/signal', 'cloud/studio', '@duckdb/node-api'],
  scenarios: ['actors/contracts', 'scenarios', 'zod', 'yaml'],
  'scenarios/expect': ['actors/contracts', 'actors/ota/deadlines.ts', 'scenarios'],
  'scenarios/faulty': ['actors/contracts', 'actors/onnx', 'actors/package', 'scenarios'],
  'scenarios/library': ['scenarios/dsl.ts'],
};

/** The few files that put a process or a world together; nobody imports them but each other. */
const composes = (file: string) =>
  file.endsWith('/main.ts') ||
  file.startsWith('cloud/cli/') ||
  [
    'scenarios/world.ts',
    'scenarios/services.ts',
    'scenarios/ports.ts',
    'scenarios/bodies.ts',
    'scenarios/rollout-ports.ts',
    'scenarios/twin-trial.ts',
    'scenarios/kept.ts',
    'scenarios/load.ts',
    'scenarios/stage.ts',
    'scenarios/stage-watch.ts',
    'scenarios/fuzz/player.ts',
    'scenarios/model-copies.ts',
    'scenarios/play.ts',
    'scenarios/fork-run.ts',
    'scenarios/serials.ts',
    'scenarios/doors.ts',
    'scenarios/up.ts',
    'scenarios/cloud.ts',
    'physical/edge.ts',
  ].includes(file);

/** The machine's own clock and dice, and the files that may touch them. */
const ambient = /\b(Date\.now|Math\.random|performance\.now|randomUUID)\b|new Date\(\)|(?<![.\w])set(Timeout|Interval)\((?!run\b)/; // `setTimeout(run: …)` declares a clock's own
const timekeepers = ['physical/wall-clock.ts'];

const architecture = suite('architecture');

architecture('finds the sources', () => {
  assert.ok(sources().length > 40, `only ${sources().length} sources below ${root}`);
});

architecture('imports point inwards', () => {
  const wrong: string[] = [];
  for (const file of sources()) {
    if (composes(file)) continue;
    const folder = Object.keys(mayImport)
      .filter((f) => file.startsWith(`${f}/`))
      .sort((a, b) => b.length - a.length)[0];
    if (!folder) wrong.push(`${file} is in no known folder`);
    for (const target of folder ? importsOf(file) : []) {
      if (!mayImport[folder].some((f) => target === f || target.startsWith(`${f}/`))) wrong.push(`${file} → ${target}`);
    }
  }
  assert.equal(wrong, []);
});

architecture('nobody imports what composes', () => {
  const wrong = sources()
    .filter((file) => !composes(file))
    .flatMap((file) =>
      importsOf(file)
        .filter(composes)
        .map((target) => `${file} → ${target}`),
    );
  assert.equal(wrong, []);
});

architecture('only one file knows both the data plane and the actors', () => {
  const both = sources().filter((file) => {
    const targets = importsOf(file);
    return (
      file.startsWith('actors/') &&
      targets.some((t) => t.startsWith('actors/dataplane/')) &&
      targets.some((t) => t === 'xstate' || t.startsWith('actors/turbine/'))
    );
  });
  assert.equal(both, ['actors/bridge.ts']);
});

architecture('nobody reads the clock or the dice of the machine', () => {
  const suspects = sources().filter(
    (file) => !file.startsWith('cloud/console/web/') && !file.endsWith('main.ts') && ambient.test(read(file)),
  );
  assert.equal(
    suspects.filter((file) => !timekeepers.includes(file)),
    [],
  );
});

architecture('every test file runs its suites', () => {
  // uvu says nothing of a suite that was never run
  const silent = filesIn('test').filter((f) => f.endsWith('.test.ts') && !/\.run\(\);\s*$/.test(read(f)));
  assert.equal(silent, []);
});

architecture('no file is a drawer for odds and ends', () => {
  const drawers = sources().filter(
    (file) => /(^|\/)(utils?|helpers?|common|misc|manager|index)\.tsx?$/.test(file) && file !== 'actors/contracts/index.ts',
  );
  assert.equal(drawers, []);
});

const read = (file: string) => readFileSync(join(root, file), 'utf8');

const filesIn = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
    .map((file) => join(folder, file));

const sources = () => ['actors', 'twins', 'physical', 'cloud', 'scenarios'].flatMap(filesIn);

/** Npm packages by name, our own files by their path from the root. */
const importsOf = (file: string) =>
  [...read(file).matchAll(/(?:from |import\(|import )'([^']+)'/g)]
    .map(([, to]) => (to.startsWith('.') ? relative(root, resolve(root, dirname(file), to)) : to))
    .filter((to) => !to.startsWith('node:'));

function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}

architecture.run();
