import fc from 'fast-check';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NotFound } from '../../../actors/contracts/errors.ts';
import { libsqlDocuments } from '../../../cloud/things/libsql-documents.ts';
import type { MembershipChange, Registry } from '../../../cloud/things/ports.ts';
import { removeFolder, scratchFolder } from '../../kit/farm-process.ts';
import { refusal, testThings } from '../../kit/open-things.ts';

const registry = suite('registry');

const arn = (kind: string, name: string) => `arn:aws:iot:us-east-1:000000000000:${kind}/${name}`;

registry('a thing is made once; the same again is the same, another is refused', async () => {
  const { registry: things } = await testThings();
  const made = await things.create({ name: 'T-1', attributes: { site: 'a' } });
  assert.is(made.version, 1);
  assert.is((await things.create({ name: 'T-1', attributes: { site: 'a' } })).id, made.id);
  assert.is(await refusal(() => things.create({ name: 'T-1', attributes: { site: 'b' } })), 'ResourceAlreadyExists');
  assert.is(await refusal(() => things.create({ name: 'T-2', typeName: 'none' })), 'ResourceNotFound');
  await things.remove('T-1');
  assert.is(await refusal(() => things.describe('T-1')), 'ResourceNotFound');
  await things.remove('T-1'); // AWS: no error
  assert.is.not((await things.create({ name: 'T-1', attributes: { site: 'a' } })).id, made.id);
});

registry('versions are checked where one is given, and grow by one', async () => {
  const { registry: things } = await testThings();
  await things.create({ name: 'T-1' });
  assert.is((await things.update('T-1', { attributes: { a: '1' }, expectedVersion: 1 })).version, 2);
  assert.is(await refusal(() => things.update('T-1', { attributes: { a: '2' }, expectedVersion: 1 })), 'VersionConflict');
  assert.is(await refusal(() => things.remove('T-1', 1)), 'VersionConflict');
  const { attributes } = await things.update('T-1', { attributes: { b: '2', a: '' }, mergeAttributes: true });
  assert.equal(attributes, { b: '2' }, 'an empty text removes');
  assert.equal((await things.update('T-1', { attributes: { c: '3' } })).attributes, { c: '3' });
  await things.remove('T-1', 4);
});

registry('names and attributes keep AWS’s rules, and pollute nothing', async () => {
  const { registry: things } = await testThings();
  for (const name of ['', 'a/b', '../x', 'a b', 'a+', '#', 'ü', 'x'.repeat(129), '__proto__', 'constructor', 'a\n'])
    assert.is(await refusal(() => things.create({ name })), 'InvalidRequest', name);
  const over = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, '1']));
  for (const attributes of [over, { 'a b': '1' }, { a: 'ü' }, { a: 'x'.repeat(801) }, JSON.parse('{"__proto__":"1"}')])
    assert.is(await refusal(() => things.create({ name: 'T-1', attributes })), 'InvalidRequest');
  await things.createType({ name: 'turbine' });
  await things.create({ name: 'T-1', typeName: 'turbine', attributes: over });
  assert.is(await refusal(() => things.update('T-1', { removeType: true })), 'InvalidRequest', 'four attributes need a type');
  assert.is(({} as { polluted?: unknown }).polluted, undefined);
});

registry('lists are filtered by type and attribute', async () => {
  const { registry: things } = await testThings();
  await things.createType({ name: 'turbine', searchableAttributes: ['row'] });
  await things.create({ name: 'T-2', typeName: 'turbine', attributes: { row: 'north-1' } });
  await things.create({ name: 'T-1', attributes: { row: 'north-2' } });
  const names = (filter: Parameters<Registry['list']>[0]) => things.list(filter).map(({ name }) => name);
  assert.equal(names({}), ['T-1', 'T-2']);
  assert.equal(names({ typeName: 'turbine' }), ['T-2']);
  assert.equal(names({ attribute: { name: 'row', value: 'north-2' } }), ['T-1']);
  assert.equal(names({ attribute: { name: 'row', value: 'north', byPrefix: true } }), ['T-1', 'T-2']);
  assert.equal(names({ attribute: { name: 'toString', value: '' } }), []);
});

registry('a type goes five minutes after it was deprecated, when no thing has it', async () => {
  const { registry: things, time } = await testThings();
  await things.createType({ name: 'turbine' });
  await things.create({ name: 'T-1', typeName: 'turbine' });
  assert.is(await refusal(() => things.removeType('turbine')), 'InvalidRequest');
  await things.deprecateType('turbine');
  assert.is(await refusal(() => things.create({ name: 'T-2', typeName: 'turbine' })), 'InvalidRequest');
  time.now += 5 * 60_000;
  assert.is(await refusal(() => things.removeType('turbine')), 'InvalidRequest', 'T-1 has it');
  await things.update('T-1', { removeType: true });
  await things.removeType('turbine');
  assert.is(await refusal(() => things.describeType('turbine')), 'ResourceNotFound');
});

registry('the group farm is every thing; nobody makes, changes or leaves it', async () => {
  const { registry: things } = await testThings();
  const heard: string[] = [];
  things.onMembership(({ kind, thing, group }) => heard.push(`${thing} ${kind} ${group}`));
  things.register('T-1');
  await things.create({ name: 'T-2' });
  assert.equal(things.members('farm'), ['T-1', 'T-2']);
  assert.equal(things.resolve(['farm']), ['T-1', 'T-2']);
  assert.is(await refusal(() => things.createGroup({ name: 'farm' })), 'ResourceAlreadyExists');
  for (const change of [
    () => things.removeGroup('farm'),
    () => things.leave('T-1', 'farm'),
    () => things.updateGroup('farm', { description: 'x' }),
    () => things.createGroup({ name: 'g', parent: 'farm' }),
  ])
    assert.is(await refusal(change), 'InvalidRequest');
  await things.join('T-1', 'farm'); // it is in it
  assert.equal(things.groupsOf('T-1'), []);
  await things.remove('T-2');
  assert.equal(heard, ['T-1 joined farm', 'T-2 joined farm', 'T-2 left farm']);
});

registry('targets are names or ARNs of things and groups of this place; what is near is named', async () => {
  const { registry: things } = await testThings();
  await things.create({ name: 'T-1' });
  await things.createGroup({ name: 'row-a' });
  await things.join('T-1', 'row-a');
  for (const target of ['T-1', 'row-a', arn('thing', 'T-1'), arn('thinggroup', 'row-a'), arn('thinggroup', 'farm')])
    assert.equal(things.resolve([target]), ['T-1'], target);
  for (const target of [
    'T-9',
    arn('thing', 'row-a'),
    arn('thinggroup', 'T-1'),
    arn('thing', 'T-1').replace('us-east-1', 'eu-west-1'),
    arn('thing', 'T-1').replace('000000000000', '111111111111'),
  ])
    assert.throws(
      () => things.resolve([target]),
      (error: unknown) => error instanceof NotFound,
      target,
    );
  assert.throws(() => things.resolve(['row-b']), /Did you mean row-a\?/);
});

registry('groups have AWS’s limits: seven levels, one group of a hierarchy, ten in all', async () => {
  const { registry: things } = await testThings();
  await things.createGroup({ name: 'g1' });
  for (let level = 2; level <= 7; level++) await things.createGroup({ name: `g${level}`, parent: `g${level - 1}` });
  assert.is(await refusal(() => things.createGroup({ name: 'g8', parent: 'g7' })), 'InvalidRequest');
  assert.equal(things.ancestorsOf('g3'), ['g1', 'g2']);
  assert.is(await refusal(() => things.removeGroup('g1')), 'InvalidRequest', 'it has groups below');
  await things.create({ name: 'T-1' });
  await things.join('T-1', 'g7');
  assert.is(await refusal(() => things.join('T-1', 'g1')), 'InvalidRequest');
  assert.ok(things.isMember('T-1', 'g1'));
  assert.equal(things.members('g1'), []);
  assert.equal(things.members('g1', { recursive: true }), ['T-1']);
  for (let i = 1; i <= 9; i++) {
    await things.createGroup({ name: `h${i}` });
    await things.join('T-1', `h${i}`);
  }
  await things.createGroup({ name: 'h10' });
  assert.is(await refusal(() => things.join('T-1', 'h10')), 'InvalidRequest');
  assert.is(await refusal(() => things.join('T-9', 'h10')), 'ResourceNotFound');
  assert.is(await refusal(() => things.join('T-1', 'none')), 'ResourceNotFound');
  assert.is(await refusal(() => things.updateGroup('h1', { attributes: { a: '1' }, expectedVersion: 2 })), 'VersionConflict');
  assert.is((await things.updateGroup('h1', { attributes: { a: '1' } })).version, 2);
});

registry('a thing that has a certificate stays until it is detached', async () => {
  const { registry: things, certificates } = await testThings();
  await things.create({ name: 'T-1' });
  const { certificate } = await certificates.create({ active: true });
  await things.attachPrincipal('T-1', certificate.arn);
  assert.is(await refusal(() => things.remove('T-1')), 'InvalidRequest');
  assert.equal(things.thingsOf(certificate.arn), ['T-1']);
  await things.detachPrincipal('T-1', certificate.arn);
  assert.is(await refusal(() => things.detachPrincipal('T-1', certificate.arn)), 'ResourceNotFound');
  await things.remove('T-1');
});

registry('who is in which group is what a plain model says, and each change is told once', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const parents: Record<string, string | null> = { a: null, b: 'a', c: 'a', d: null };
  const up = (group: string): string[] => [group, ...(parents[group] === null ? [] : up(parents[group] as string))];
  const step = fc.record({
    what: fc.constantFrom('join', 'leave', 'drop'),
    thing: fc.constantFrom('T-1', 'T-2'),
    group: fc.constantFrom(...names),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { registry: things } = await testThings();
      for (const name of names) await things.createGroup({ name, ...(parents[name] === null ? {} : { parent: parents[name] as string }) });
      const model = new Map<string, Set<string>>(); // direct groups
      const told = new Map<string, Set<string>>(); // from the events alone
      things.onMembership(({ kind, thing, group }: MembershipChange) => {
        const groups = told.get(thing) ?? new Set<string>();
        told.set(thing, groups);
        assert.is(groups.has(group), kind === 'left', `${thing} ${kind} ${group} twice`);
        kind === 'joined' ? groups.add(group) : groups.delete(group);
      });
      for (const { what, thing, group } of steps) {
        if (!model.has(thing)) {
          await things.create({ name: thing });
          model.set(thing, new Set());
        }
        const direct = model.get(thing)!;
        if (what === 'drop') {
          await things.remove(thing);
          model.delete(thing);
        } else if (what === 'leave') {
          await things.leave(thing, group);
          direct.delete(group);
        } else {
          const clashes = [...direct].some((other) => other !== group && up(other).at(-1) === up(group).at(-1));
          assert.is(await refusal(() => things.join(thing, group)), clashes ? 'InvalidRequest' : 'accepted');
          if (!clashes) direct.add(group);
        }
        for (const group of names) {
          const inIt = [...model].filter(([, groups]) => [...groups].some((one) => up(one).includes(group))).map(([name]) => name);
          assert.equal(things.members(group, { recursive: true }), inIt.sort());
          for (const name of model.keys()) assert.is(told.get(name)?.has(group) ?? false, inIt.includes(name));
        }
      }
    }),
    { numRuns: 60 },
  );
});

registry('what was acknowledged is there when the store is opened again', async () => {
  const folder = scratchFolder();
  const file = join(folder, 'things.db');
  const first = await testThings({ disk: libsqlDocuments(file) });
  await first.registry.createGroup({ name: 'row', attributes: { side: 'north' } });
  await Promise.all(Array.from({ length: 500 }, (_, i) => first.registry.create({ name: `T-${i}`, attributes: { i: String(i) } })));
  await first.registry.join('T-7', 'row');
  await first.registry.update('T-7', { attributes: { i: 'x' } });
  await first.registry.remove('T-8');
  await first.tags.tag(arn('thinggroup', 'row'), { owner: 'me' });
  // no close: as after a kill

  const second = await testThings({ disk: libsqlDocuments(file) });
  assert.is(second.registry.things().length, 499);
  assert.equal(second.registry.members('row'), ['T-7']);
  assert.equal(second.registry.describe('T-7').attributes, { i: 'x' });
  assert.is(second.registry.describe('T-7').version, 2);
  assert.equal(second.tags.of(arn('thinggroup', 'row')), { owner: 'me' });
  await first.close();
  await second.close();
  removeFolder(folder);
});

registry('a disk that refuses a change leaves nothing that could be lost to be seen', async () => {
  let isFull = false;
  const kept: Parameters<Awaited<ReturnType<typeof libsqlDocuments>>['save']>[0][number][] = [];
  const { registry: things } = await testThings({
    disk: {
      load: () => kept.filter(({ body }) => body !== null) as { kind: string; key: string; body: string }[],
      save(changes) {
        if (isFull) throw new Error('no space left on device');
        kept.push(...changes);
      },
      close() {},
    },
  });
  await things.create({ name: 'T-1' });
  await things.createGroup({ name: 'row' });
  await things.join('T-1', 'row');
  isFull = true;
  const heard: MembershipChange[] = [];
  things.onMembership((change) => heard.push(change));
  const tries = [things.create({ name: 'T-2' }), things.leave('T-1', 'row'), things.createGroup({ name: 'other' })];
  for (const attempt of await Promise.allSettled(tries))
    assert.is(attempt.status === 'rejected' && (attempt.reason as { code?: string }).code, 'store.unavailable');
  assert.equal(things.things(), ['T-1']);
  assert.equal(things.members('row'), ['T-1']);
  assert.is(await refusal(() => things.describeGroup('other')), 'ResourceNotFound');
  assert.equal(heard, []);
  isFull = false;
  await things.create({ name: 'T-2' });
  assert.equal(things.things(), ['T-1', 'T-2']);
});

registry('100 000 things are open within seconds', async () => {
  const folder = scratchFolder();
  const file = join(folder, 'things.db');
  const first = await testThings({ disk: libsqlDocuments(file) });
  for (let i = 0; i < 100_000; i++) first.registry.register(`T-${String(i).padStart(6, '0')}`);
  await first.close();
  assert.ok(existsSync(file));

  const began = process.hrtime.bigint();
  const second = await testThings({ disk: libsqlDocuments(file) });
  assert.is(second.registry.things().length, 100_000);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(`cold start with 100 000 things: ${seconds.toFixed(2)} s`);
  assert.is(second.registry.resolve(['farm']).length, 100_000);
  await second.close();
  removeFolder(folder);
});

registry.run();
