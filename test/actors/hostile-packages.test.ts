import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isTerminal, type JobExecution } from '../../actors/contracts/jobs.ts';
import { MODEL_BUCKET } from '../../actors/contracts/objects.ts';
import { isUpdateCode } from '../../actors/contracts/update-codes.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { childProver } from '../../actors/inference/proof/prover.ts';
import { sharedEngine } from '../../actors/inference/shared.ts';
import { sha256Hex } from '../../actors/package/digest.ts';
import { printJobDocument } from '../../actors/package/job-document.ts';
import { memoryJobStore } from '../../cloud/jobs/libsql-store.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { generateKey } from '../../cloud/models/keys.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { fileDisk } from '../../physical/disk.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { directJobs } from '../kit/direct-jobs.ts';
import { removeFolder } from '../kit/farm-process.ts';
import { hostilePackages } from '../kit/hostile/packages.ts';
import { lightPackage } from '../kit/light-package.ts';
import { bootLightDevice, type LightPorts } from '../kit/light-device.ts';

const hostile = suite('hostile packages');

const key = generateKey();
const FAST = '/dev/shm'; // a file system like any other, in memory

/** A device on a real disk, in a folder beside others, with a job service and an object store. Its model is `light@1.0.0`, sequence 5. */
async function world(more: Partial<LightPorts> = {}) {
  const root = mkdtempSync(join(existsSync(FAST) ? FAST : tmpdir(), 'windfleet-hostile-'));
  mkdirSync(join(root, 'neighbour'));
  writeFileSync(join(root, 'neighbour', 'secret'), 'not yours');
  const clock = wallClock(); // a real disk takes real time
  const service = await openJobService({ clock, store: memoryJobStore() });
  const objects = memoryObjects();
  let waiting: { readonly jobId: string; readonly done: (execution: JobExecution) => void } | null = null;
  service.onChange((change) => {
    if ('thing' in change && change.jobId === waiting?.jobId && isTerminal(change.status)) waiting.done(change);
  });
  const jobs = directJobs(service, () => clock.epoch + clock.now());
  const stages: string[] = [];
  let over = () => {};
  const device = await bootLightDevice({
    thing: 'T-001',
    clock,
    disk: fileDisk(join(root, 'device')),
    jobs: jobs.connect(),
    objects,
    engine: sharedEngine(onnxEngine({ arch: process.arch })),
    trustedKeys: [key.publicKey],
    first: lightPackage(key, '1.0.0', 5).bytes,
    canaryMs: 1,
    dateOf: () => Date.parse('2026-01-01T00:00:00Z'),
    stage(stage) {
      if (stage) stages.push(stage);
      else over();
    },
    ...more,
  });
  let orders = 0;
  return {
    root,
    clock,
    service,
    objects,
    device,
    stages,
    async order(document: Record<string, unknown>) {
      const jobId = `j-${++orders}`;
      stages.length = 0;
      const ended = new Promise<JobExecution>((done) => {
        waiting = { jobId, done };
      });
      const isOver = new Promise<void>((done) => {
        over = done;
      });
      await service.create({ jobId, things: ['T-001'], targets: ['T-001'], document });
      await isOver; // what it leaves behind is tidied up after the report
      return ended;
    },
    async orderPackage(bytes: Uint8Array) {
      const objectKey = 'light/light-2.0.0.tar.gz';
      await objects.put(MODEL_BUCKET, objectKey, bytes);
      const order = { name: 'light', version: '2.0.0', bucket: MODEL_BUCKET, key: objectKey, sha256: sha256Hex(bytes) };
      return this.order(printJobDocument(order));
    },
    async close() {
      await device.halt();
      await service.close();
      removeFolder(root);
    },
  };
}

/** Every file below a folder with its kind, its bytes and its mode; the device's own spare slot left out. */
function fingerprint(folder: string): string {
  const hash = createHash('sha256');
  const visit = (path: string) => {
    for (const name of readdirSync(path).sort()) {
      const at = join(path, name);
      const stat = lstatSync(at);
      const relative = at.slice(folder.length);
      if (relative === '/device/slots/b' || relative === '/device/outbox') continue;
      assert.ok(stat.isFile() || stat.isDirectory(), `${relative} is a file or a folder`);
      hash.update(`${relative} ${stat.isFile()} ${stat.mode}\n`);
      if (stat.isDirectory()) visit(at);
      else hash.update(readFileSync(at));
    }
  };
  visit(folder);
  return hash.digest('hex');
}

hostile('three hundred packages, each refused with its own code, and nothing but the spare slot was touched', async () => {
  const packages = hostilePackages(key);
  assert.ok(packages.length >= 300, `${packages.length}`);
  assert.is(new Set(packages.map(({ name }) => name)).size, packages.length, 'each once');
  const farm = await world();
  const before = fingerprint(farm.root);
  const wrong: string[] = [];
  const codes = new Set<string>();

  for (const { name, bytes, codes: expected } of packages) {
    const { status, statusDetails } = await farm.orderPackage(bytes);
    const { code = '', stage = '', reason = '', info } = statusDetails;
    if (status !== 'FAILED' || !isUpdateCode(code) || !expected.includes(code))
      wrong.push(`${name}: ${status} ${code} at ${stage}, not ${expected.join('|')}: ${reason.slice(0, 120)}`);
    if (farm.device.serving.id !== 'light@1.0.0') wrong.push(`${name}: ${farm.device.serving.id} serves`);
    if (fingerprint(farm.root) !== before) wrong.push(`${name}: something else was written`);
    if (reason === '' || reason !== info || /\p{C}/u.test(reason)) wrong.push(`${name}: the reason is ${JSON.stringify(reason)}`);
    if (!['verifying', 'loading'].includes(stage) && bytes.length > 0) wrong.push(`${name}: refused at ${stage}`);
    codes.add(code);
  }
  assert.equal(wrong, []);
  assert.ok(codes.size >= 30, [...codes].sort().join(' '));

  const { status } = await farm.orderPackage(lightPackage(key, '2.0.0', 10).bytes);
  assert.is(status, 'SUCCEEDED', 'and the good one is still taken');
  assert.is(farm.device.serving.id, 'light@2.0.0');
  assert.equal(
    farm.stages,
    ['accepting', 'downloading', 'verifying', 'unpacking', 'loading', 'canary', 'committing', 'reporting', 'done'].slice(
      0,
      farm.stages.length,
    ),
  );
  await farm.close();
});

hostile('job documents: each fault has its code, and names the field', async () => {
  const farm = await world();
  const bytes = lightPackage(key, '2.0.0', 10).bytes;
  await farm.objects.put(MODEL_BUCKET, 'k', bytes);
  const good = printJobDocument({ name: 'light', version: '2.0.0', bucket: MODEL_BUCKET, key: 'k', sha256: sha256Hex(bytes) });
  const { type: _, ...untyped } = good;
  const without = (field: string) => Object.fromEntries(Object.entries(good).filter(([name]) => name !== field));
  const cases: readonly [string, Record<string, unknown>, string, RegExp][] = [
    ['nothing', {}, 'job.malformed', /type[\s\S]*model_version|model_name/],
    ['no type', untyped, 'job.malformed', /type/],
    ['another type', { ...good, type: 'new_firmware' }, 'job.malformed', /type/],
    ...['model_version', 'model_name', 'model_package_bucket', 'model_package_key', 'sha256'].map(
      (field): [string, Record<string, unknown>, string, RegExp] => [`no ${field}`, without(field), 'job.malformed', new RegExp(field)],
    ),
    ['a field too many', { ...good, run_as: 'root' }, 'job.malformed', /run_as/],
    ['a number for a version', { ...good, model_version: 2 }, 'job.malformed', /model_version/],
    ['no version', { ...good, model_version: 'latest' }, 'job.malformed', /"latest" is no version/],
    ['a list for a key', { ...good, model_package_key: ['k'] }, 'job.malformed', /model_package_key/],
    ['an empty key', { ...good, model_package_key: '' }, 'job.malformed', /model_package_key/],
    ['a digest in capitals', { ...good, sha256: good['sha256'].toUpperCase() }, 'job.malformed', /sha256/],
    ['a name that leads out', { ...good, model_name: '../../x' }, 'job.malformed', /model_name/],
    ['a grant that is no key', { ...good, rollback_grant_key: 7 }, 'job.malformed', /rollback_grant_key/],
    ['a bucket of somebody else', { ...good, model_package_bucket: 'evil-sagemaker-models' }, 'store.foreign', /evil-sagemaker-models/],
    ['a URL for a bucket', { ...good, model_package_bucket: 'http://169.254.169.254/' }, 'store.foreign', /none that this device may ask/],
    ['a key that is not there', { ...good, model_package_key: 'gone' }, 'store.absent', /no object gone/],
    ['another digest', { ...good, sha256: 'a'.repeat(64) }, 'download.digest', /sha256 differs/],
    ['the version that is there', { ...good, model_version: '1.0.0' }, 'job.older', /not newer/],
    ['"1.0", the version that is there as the original writes it', { ...good, model_version: '1.0' }, 'job.older', /light@1\.0\.0/],
  ];
  for (const [what, document, code, reason] of cases) {
    const { status, statusDetails } = await farm.order(document);
    assert.is(status, 'FAILED', what);
    assert.is(statusDetails['code'], code, `${what}: ${statusDetails['reason']}`);
    assert.match(statusDetails['reason'], reason, what);
    assert.is(farm.device.serving.id, 'light@1.0.0');
  }
  assert.is((await farm.order({ ...good, model_version: '2.0' })).status, 'SUCCEEDED');
  await farm.close();
});

hostile('a network that only a process of its own finds out about is refused with its code, too', async () => {
  const farm = await world({ prover: childProver() });
  const [bad] = hostilePackages(key).filter(({ name }) => name === 'a golden answer that is off');
  const { status, statusDetails } = await farm.orderPackage(bad.bytes);
  assert.equal([status, statusDetails['code'], statusDetails['stage']], ['FAILED', 'golden.wrong', 'loading']);
  await farm.close();
});

hostile.run();
