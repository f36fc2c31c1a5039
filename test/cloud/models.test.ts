import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/contracts/log.ts';
import type { ModelLineage } from '../../actors/contracts/model.ts';
import { MODEL_BUCKET } from '../../actors/contracts/objects.ts';
import { keyId } from '../../actors/package/dsse.ts';
import { openModel } from '../../actors/package/package.ts';
import { signGrant, verifyGrant } from '../../actors/package/rollback-grant.ts';
import { openConsole } from '../../cloud/console/server.ts';
import { createCatalogue, type DescribedModel } from '../../cloud/models/catalogue.ts';
import { generateKey, initKey, openKey, publicFile, publicPem, rotateKey, trustedFolder, trustedKeys } from '../../cloud/models/keys.ts';
import { diskObjects } from '../../cloud/objects/disk.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { consoleServices } from '../../scenarios/doors.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { freePort } from '../kit/free-port.ts';
import { memoryWorld } from '../kit/memory-world.ts';
import { newerPackage } from '../kit/packages.ts';

interface Shown extends DescribedModel {
  readonly aliases: readonly string[];
  readonly lineage: ModelLineage;
}

const models = suite('models');

const folder = scratchFolder();
const key = generateKey();
const packed = (version: string, sequence: number) => newerPackage(key, (manifest) => ({ ...manifest, version, sequence })).bytes;
const instant = (day: number) => `2026-05-${String(day).padStart(2, '0')}T00:00:00.000Z`;

async function catalogueOf(...versions: string[]) {
  const objects = memoryObjects();
  const catalogue = createCatalogue(objects, [key.publicKey]);
  for (const [i, version] of versions.entries()) await catalogue.publish(packed(version, i + 1));
  return { objects, catalogue };
}

const rejects = (work: Promise<unknown>, reason: RegExp) =>
  work.then(
    () => assert.unreachable(),
    (error: unknown) => assert.match((error as Error).message, reason),
  );

models('keys: made once, never overwritten, for the owner alone, and rotated without a package that nobody trusts', async () => {
  const data = join(folder, 'keys-1');
  const first = initKey(data);
  assert.throws(() => initKey(data), /is there already, and is not overwritten/);
  assert.is(keyId(openKey(data).publicKey), keyId(first.publicKey));
  assert.is(statSync(join(data, 'keys/signing.pem')).mode & 0o777, 0o600);
  const signed = newerPackage(first).bytes;

  const { key: second, before } = rotateKey(data);
  assert.is(keyId(before), keyId(first.publicKey));
  assert.is.not(keyId(second.publicKey), keyId(first.publicKey));
  assert.is(readFileSync(publicFile(data), 'utf8'), publicPem(second.publicKey));
  assert.equal(
    trustedKeys(data).map((one) => keyId(one)),
    [second, first].map(({ publicKey }) => keyId(publicKey)),
  );
  assert.is(openModel(signed, { trustedKeys: trustedKeys(data) }).signedBy, keyId(first.publicKey));
  rmSync(join(trustedFolder(data), readdirSync(trustedFolder(data))[0]));
  assert.throws(() => openModel(signed, { trustedKeys: trustedKeys(data) }), /no trusted key/);
  assert.equal(
    readdirSync(join(data, 'keys')).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

models('keys: none is made by looking; what is no public key among the trusted is refused by its file', () => {
  const data = join(folder, 'keys-2');
  assert.equal(trustedKeys(data), []);
  assert.not(existsSync(data));
  const { publicKey } = initKey(data);
  rmSync(publicFile(data));
  openKey(data);
  assert.is(readFileSync(publicFile(data), 'utf8'), publicPem(publicKey), 'a public half that was lost comes back');
  rotateKey(data);
  const wrong: [string, string, RegExp][] = [
    ['no.pem', 'nothing', /no.pem cannot be used: it holds no public key/],
    ['private.pem', readFileSync(join(data, 'keys/signing.pem'), 'utf8'), /private.pem cannot be used: it holds no public key/],
    ['cut.pem', publicPem(publicKey).slice(0, 60), /cut.pem cannot be used/],
  ];
  for (const [name, text, reason] of wrong) {
    writeFileSync(join(trustedFolder(data), name), text);
    assert.throws(() => trustedKeys(data), reason);
    rmSync(join(trustedFolder(data), name));
  }
  rmSync(join(data, 'keys/signing.pem'));
  assert.is(trustedKeys(data).length, 2, 'a machine that only verifies has the public half alone');
  symlinkSync('nowhere', join(data, 'keys/signing.pem'));
  assert.throws(() => initKey(data), /is there already/);
});

models('a version never changes; the newest is the one with the highest sequence that is trusted', async () => {
  const { catalogue } = await catalogueOf('1.0.0', '1.1.0');
  await catalogue.publish(packed('1.0.0', 1)); // the same again is no change
  await rejects(catalogue.publish(packed('1.0.0', 9)), /published already with other bytes/);
  await rejects(catalogue.publish(newerPackage(generateKey()).bytes), /no trusted key/);
  await catalogue.publish(packed('1.0.1', 3)); // a mend of the old line is newer
  assert.is((await catalogue.newest('windturbine-anomaly'))?.version, '1.0.1');
  assert.is(await catalogue.newest('nothing'), null);
});

models('an alias moves at once for everybody, keeps its history over a restart, and stands wherever a model does', async () => {
  const objects = diskObjects(join(folder, 'objects'));
  const catalogue = createCatalogue(objects, [key.publicKey]);
  for (const [i, version] of ['1.0.0', '1.1.0'].entries()) await catalogue.publish(packed(version, i + 1));

  await catalogue.setAlias('production', 'windturbine-anomaly@1.0.0', instant(1));
  await catalogue.setAlias('production', 'windturbine-anomaly@1.0.0', instant(2)); // no move
  await catalogue.setAlias('production', 'windturbine-anomaly@1.1.0', instant(3));
  await catalogue.setAlias('stable', 'windturbine-anomaly@production', instant(4));

  const again = createCatalogue(objects, [key.publicKey]);
  assert.is(await again.resolve('windturbine-anomaly@production'), 'windturbine-anomaly@1.1.0');
  assert.is((await again.show('windturbine-anomaly@stable')).version, '1.1.0');
  assert.ok(Buffer.from(await again.read('windturbine-anomaly@stable')).equals(Buffer.from(packed('1.1.0', 2))));
  const [production] = await again.aliases();
  assert.equal(production, {
    alias: 'production',
    name: 'windturbine-anomaly',
    version: '1.1.0',
    history: [
      { version: '1.1.0', at: instant(3) },
      { version: '1.0.0', at: instant(1) },
    ],
  });
  await again.removeAlias('windturbine-anomaly@stable', instant(5));
  await rejects(catalogue.resolve('windturbine-anomaly@stable'), /no model has the alias/);
  assert.is((await again.aliases()).find(({ alias }) => alias === 'stable')?.history.length, 2, 'what was is kept');
  assert.is((await again.list()).length, 2, 'an alias is no package');
});

models('a hundred moves at once: whoever reads finds a version that is, and none is lost from the history', async () => {
  const { catalogue } = await catalogueOf('1.0.0', '1.1.0', '1.2.0');
  const versions = ['1.0.0', '1.1.0', '1.2.0'];
  await catalogue.setAlias('a', 'windturbine-anomaly@1.0.0', instant(1));
  const moves = Array.from({ length: 100 }, (_, i) => catalogue.setAlias('a', `windturbine-anomaly@${versions[(i + 1) % 3]}`, instant(2)));
  const reads = Array.from({ length: 100 }, () => catalogue.resolve('windturbine-anomaly@a'));
  for (const id of await Promise.all(reads)) assert.ok(versions.some((version) => id.endsWith(`@${version}`)));
  await Promise.all(moves);
  assert.is((await catalogue.aliases())[0].history.length, 101);
});

models('aliases that collide, lead nowhere, or are none', async () => {
  const { catalogue, objects } = await catalogueOf('1.0.0');
  await rejects(catalogue.setAlias('a', 'windturbine-anomaly@9.9.9', instant(1)), /no model windturbine-anomaly@9.9.9 is published/);
  for (const id of [
    'windturbine-anomaly',
    'windturbine-anomaly@',
    '@production',
    'windturbine-anomaly@1.0',
    'windturbine-anomaly@Prod',
    'a@b@c',
    '../x@y',
  ])
    await rejects(catalogue.resolve(id), /is no model/);
  for (const alias of ['1.0.0', '1', 'Prod', 'a--b', '-a', '', '../x', 'a'.repeat(33)])
    await rejects(catalogue.setAlias(alias, 'windturbine-anomaly@1.0.0', instant(1)), /is no alias: small letters/);
  await rejects(catalogue.removeAlias('windturbine-anomaly@1.0.0', instant(1)), /is a version, not an alias/);
  await objects.put(MODEL_BUCKET, 'aliases/windturbine-anomaly/broken.json', Buffer.from('{"alias":'));
  await rejects(catalogue.resolve('windturbine-anomaly@broken'), /broken.json .* is damaged/);
});

models('a grant is laid down only when a trusted key signed it, and is named in the job of whom it covers', async () => {
  const { catalogue, objects } = await catalogueOf('1.0.0', '1.1.0');
  const { sha256, name, version } = await catalogue.show('windturbine-anomaly@1.0.0');
  const grant = (group: string) =>
    ({
      schema: 'windfleet.rollback-grant/v1',
      name,
      version,
      sequence: 1,
      sha256,
      group,
      issuedAt: instant(1),
      expires: instant(2),
    }) as const;
  await rejects(catalogue.grant(signGrant(grant('farm'), generateKey().privateKey)), /no trusted key/);
  const at = await catalogue.grant(signGrant(grant('row-a'), key.privateKey));
  const noon = Date.parse(instant(1)) + 43_200_000;

  const model = await catalogue.show('windturbine-anomaly@1.0.0');
  assert.is(await catalogue.granted(model, 'row-a', noon), at);
  assert.is(await catalogue.granted(model, 'row-b', noon), null);
  assert.is(await catalogue.granted(model, 'row-a', Date.parse(instant(2))), null, 'it has ended');
  assert.is(await catalogue.granted(await catalogue.show('windturbine-anomaly@1.1.0'), 'row-a', noon), null);
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.get(MODEL_BUCKET, at)) chunks.push(chunk);
  verifyGrant(Buffer.concat(chunks), [key.publicKey], { name, version, sequence: 1, sha256, groups: ['T-001', 'row-a'], now: noon });
  await objects.put(MODEL_BUCKET, 'grants/windturbine-anomaly/1.0.0/row-b.json', Buffer.concat(chunks)); // moved to another’s place
  assert.is(await catalogue.granted(model, 'row-b', noon), null);
});

models('lineage: from the data to the devices that run it, over the console', async () => {
  const world = await memoryWorld({ seed: 3, twins: 3 });
  await world.clock.run(30_000);
  const page = await openConsole({
    host: '127.0.0.1',
    port: await freePort(),
    services: consoleServices(world.cloud, { faults: world.faults, site: world.site, https: null }),
    log: silentLog,
    wall: wallClock(),
  });
  const ask = async <T = Shown>(path: string, method = 'GET', body?: object) => {
    const init = body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {};
    const response = await fetch(page.url + path, { method, ...init });
    return { status: response.status, body: (await response.json()) as T };
  };
  const id = 'windturbine-anomaly@1.1.0';

  assert.is((await ask('/api/aliases', 'POST', { alias: 'production', model: id })).status, 201);
  const deployment = await world.deployments.deploy({ model: 'windturbine-anomaly@production', to: 'T-002' });
  assert.is(deployment.model, id, 'an alias is what it stood for when the job was made');
  await world.clock.run(120_000);
  const { body: model } = await ask('/api/models/windturbine-anomaly%40production');
  assert.is(model.version, '1.1.0');
  assert.equal(model.aliases, ['production']);
  assert.is(model.manifest.sequence, 2);
  assert.is(model.lineage.data['source'], model.manifest.lineage['source']);
  assert.is(model.lineage.training['seed'], 9_100_000);
  assert.equal(model.lineage.model, {
    name: 'windturbine-anomaly',
    version: '1.1.0',
    sequence: 2,
    sha256: model.sha256,
    signedBy: keyId(world.key.publicKey),
  });
  assert.equal(
    model.lineage.jobs.map(({ jobId, to, status, executions }) => ({ jobId, to, status, executions })),
    [{ jobId: deployment.id, to: ['T-002'], status: 'COMPLETED', executions: { SUCCEEDED: 1 } }],
  );
  assert.equal(model.lineage.devices, [{ thing: 'T-002', runs: true, jobId: deployment.id, isAccepted: false }]);
  const before = (await ask('/api/models/windturbine-anomaly@1.0.0')).body;
  assert.equal(before.lineage.devices, [
    { thing: 'T-001', runs: true, jobId: null, isAccepted: true },
    { thing: 'T-003', runs: true, jobId: null, isAccepted: true },
  ]);

  assert.equal((await ask<Shown[]>('/api/models')).body.find(({ version }) => version === '1.1.0')?.aliases, ['production']);
  assert.is((await ask('/api/models/windturbine-anomaly@nothing')).status, 404);
  assert.is((await ask('/api/models/..%2f..%2fetc')).status, 404);
  for (const alias of ['1.0.0', 'Ä', '', 'a'.repeat(40), '__proto__', '../x'])
    assert.is((await ask('/api/aliases', 'POST', { alias, model: id })).status, 400, alias);
  assert.is((await ask('/api/aliases/windturbine-anomaly@production', 'DELETE', {})).body.version, null);
  await page.close();
  await world.close();
});

models.after(() => removeFolder(folder));

models.run();
