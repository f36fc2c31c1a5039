import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { topicMatches } from '../../../actors/contracts/bus.ts';
import { parsePolicy } from '../../../cloud/things/policy-documents.ts';
import { evaluate } from '../../../cloud/things/policy-evaluation.ts';
import { containsFilter, matchesText, meetsFilter } from '../../../cloud/things/policy-patterns.ts';
import { DEVICE_POLICY } from '../../../cloud/things/policies.ts';
import type { IotAction, Principal } from '../../../cloud/things/ports.ts';
import { refusal, testThings } from '../../kit/open-things.ts';

const policies = suite('policies');

/** All topics of the alphabet up to a length: what a rule is held against, one by one. */
const topics = (alphabet: string, longest: number): string[] => {
  let level = [''];
  const all: string[] = [];
  for (let length = 1; length <= longest; length++) {
    level = level.flatMap((text) => [...alphabet].map((one) => text + one));
    all.push(...level);
  }
  return all;
};
const TOPICS = topics('ab/', 5);

/** Slow and plain: a pattern as a regular expression; MQTT's wildcards stand for what they bring. */
const asRegExp = (pattern: string) =>
  new RegExp(
    `^${[...pattern].map((one) => (one === '*' || one === '#' ? '.*' : one === '?' ? '.' : one === '+' ? '[^/]*' : `[${one}]`)).join('')}$`,
    's',
  );

const pattern = fc.array(fc.constantFrom('a', 'b', '/', '*', '?', '+', '#'), { maxLength: 6 }).map((parts) => parts.join(''));
const plainPattern = fc.array(fc.constantFrom('a', 'b', '/', '*', '?'), { maxLength: 7 }).map((parts) => parts.join(''));
/** Filters as MQTT has them: wildcards fill a level, `#` is the last. */
const filter = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'ab', '', '+'), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([levels, deep]) => [...levels, ...(deep ? ['#'] : [])].join('/'))
  .filter((text) => text !== '');

policies('a pattern stands for the texts that a regular expression would', () => {
  fc.assert(
    fc.property(plainPattern, fc.constantFrom(...TOPICS), (one, topic) => {
      assert.is(matchesText(one, topic), asRegExp(one).test(topic), `${one} ${topic}`);
    }),
    { numRuns: 3_000 },
  );
});

policies('a filter that is allowed brings no topic that the pattern does not stand for', () => {
  let contained = 0;
  fc.assert(
    fc.property(pattern, filter, (one, wanted) => {
      if (!containsFilter(one, wanted)) return;
      contained++;
      const allowed = asRegExp(one);
      const parent = wanted.endsWith('/#') ? wanted.slice(0, -2) : null; // left to iot:Receive
      const escaped = TOPICS.find(
        (topic) => topicMatches(wanted, topic) && !allowed.test(topic) && !(parent !== null && topicMatches(parent, topic)),
      );
      assert.is(escaped, undefined, `${one} let ${wanted} through, which brings ${escaped}`);
    }),
    { numRuns: 6_000 },
  );
  assert.ok(contained > 100, `only ${contained} of the pairs were contained`);
});

policies('a filter meets a denial if and only if it names it, or brings a topic of it', () => {
  let met = 0;
  fc.assert(
    fc.property(
      plainPattern.filter((text) => text !== ''),
      filter,
      (one, wanted) => {
        const denied = asRegExp(one);
        const common = TOPICS.some(
          (topic) =>
            topicMatches(wanted, topic) && denied.test(topic) && !(wanted.endsWith('/#') && topicMatches(wanted.slice(0, -2), topic)),
        );
        const meets = meetsFilter(one, wanted);
        if (common) assert.ok(meets, `${one} did not stop ${wanted}`);
        // the other way only as far as the alphabet reaches
        if (meets && !matchesText(one, wanted) && one.replaceAll('*', '').length + wanted.replace(/[+#]/g, '').length <= 4)
          assert.ok(common, `${one} stopped ${wanted}`);
        if (meets) met++;
      },
    ),
    { numRuns: 6_000 },
  );
  assert.ok(met > 100);
});

policies('wildcards of a subscription reach no further than the policy does', () => {
  for (const [one, wanted, contained] of [
    ['$aws/things/T-1/*', '$aws/things/T-1/jobs/+/get/+', true],
    ['$aws/things/T-1/*', '$aws/things/T-1/#', true],
    ['$aws/things/T-1/*', '$aws/things/+/#', false],
    ['$aws/things/T-1/*', '$aws/things/#', false],
    ['$aws/things/T-1/*', '#', false],
    ['$aws/things/T-1/*', '$aws/+/T-1/jobs/notify', false],
    ['$aws/things/T-1/*', '$aws/things/T-10/jobs/notify', false],
    ['a/?', 'a/b', true],
    ['a/?', 'a/+', false],
    ['a/?', 'a/#', false],
    ['a/+/c', 'a/+/c', true],
    ['*', '#', true],
  ] as const)
    assert.is(containsFilter(one, wanted), contained, `${one} ${wanted}`);
  assert.ok(meetsFilter('secret/*', '#'));
  assert.ok(meetsFilter('secret/*', '+/x'));
  assert.not(meetsFilter('$aws/*', '#'), '[MQTT-4.7.2-1]');
  assert.not(meetsFilter('secret/*', 'open/#'));
});

policies('matching a long hostile pattern takes no long time', () => {
  const began = process.hrtime.bigint();
  assert.not(matchesText(`${'a*'.repeat(1_000)}b`, 'a'.repeat(8_000)));
  assert.not(meetsFilter(`${'a*'.repeat(500)}b`, `${'a/'.repeat(120)}a`));
  assert.ok(Number(process.hrtime.bigint() - began) / 1e9 < 10);
});

const certificate = (id: string, arn: string): Principal => ({ kind: 'certificate', id, arn });

async function twoThings() {
  const things = await testThings();
  const people: Principal[] = [];
  for (const name of ['T-1', 'T-2']) {
    await things.registry.create({ name });
    const { certificate: made } = await things.certificates.create({ active: true });
    await things.registry.attachPrincipal(name, made.arn);
    await things.policies.attach(DEVICE_POLICY, made.arn);
    people.push(certificate(made.id, made.arn));
  }
  return { ...things, one: people[0], two: people[1] };
}

policies('a thing touches its own topics and nothing of another (J9)', async () => {
  const { policies: service, one } = await twoThings();
  const may = (action: IotAction, resource: string, clientId = 'T-1') => service.mayDo(one, action, resource, clientId);
  const own = (thing: string) => [
    `$aws/things/${thing}/jobs/get`,
    `$aws/things/${thing}/jobs/$next/get`,
    `$aws/things/${thing}/jobs/j/update/accepted`,
    `$aws/things/${thing}/shadow/update`,
    `$aws/things/${thing}/shadow/name/model/update/delta`,
    `wind-turbine/logs/${thing}`,
    `wind-turbine/${thing}/raw-data`,
    `windfleet/${thing}/state`,
  ];
  for (const topic of own('T-1'))
    for (const action of ['iot:Publish', 'iot:Receive', 'iot:Subscribe'] as const) assert.ok(may(action, topic), `${action} ${topic}`);
  for (const topic of [
    ...own('T-2'),
    ...own('T-10'),
    ...own('t-1'),
    '$aws/events/job/j/completed',
    'windfleet/T-1',
    'other',
    '$aws/things/T-1/rules',
  ])
    for (const action of ['iot:Publish', 'iot:Receive', 'iot:Subscribe', 'iot:RetainPublish'] as const)
      assert.not(may(action, topic), `${action} ${topic}`);
  for (const wanted of [
    '#',
    '+/#',
    '$aws/#',
    '$aws/things/#',
    '$aws/things/+/jobs/#',
    '$aws/things/+/shadow/+',
    'windfleet/+/state',
    'wind-turbine/logs/+',
    'wind-turbine/logs/#',
    'wind-turbine/#',
    '+/T-1/state',
  ])
    assert.not(may('iot:Subscribe', wanted), wanted);
  assert.ok(may('iot:RetainPublish', 'windfleet/T-1/state'));
  assert.not(may('iot:RetainPublish', '$aws/things/T-1/shadow/update'));
  assert.ok(may('iot:Connect', 'T-1'));
  assert.not(may('iot:Connect', 'T-2', 'T-2'), 'another thing’s client id');
  assert.not(may('iot:Connect', 'T-1*', 'T-1*'));
  assert.ok(may('iot:UpdateThingShadow', 'T-1'));
  assert.not(may('iot:UpdateThingShadow', 'T-2'));
  assert.ok(may('iot:UpdateJobExecution', 'T-1'));
  assert.not(may('iot:UpdateJobExecution', 'T-2'));
});

policies('a certificate without a thing or a policy may do nothing; the owner everything', async () => {
  const { policies: service, certificates } = await testThings();
  const { certificate: made } = await certificates.create({ active: true });
  const alone = certificate(made.id, made.arn);
  assert.not(service.mayDo(alone, 'iot:Connect', 'T-1', 'T-1'));
  await service.attach(DEVICE_POLICY, made.arn);
  for (const action of ['iot:Connect', 'iot:Publish', 'iot:Subscribe'] as const)
    assert.not(service.mayDo(alone, action, 'wind-turbine//x', 'T-1'), action);
  assert.ok(service.mayDo({ kind: 'owner', arn: 'x' }, 'iot:Publish', '$aws/things/T-1/jobs/get'));
});

const statement = (Effect: string, Action: string, Resource: string | string[], more: object = {}) => ({
  Effect,
  Action,
  Resource,
  ...more,
});
const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const arn = (kind: string, name: string) => `arn:aws:iot:us-east-1:000000000000:${kind}/${name}`;
const asked = (action: IotAction, resource: string, values: Record<string, string> = {}) => ({
  action,
  resource,
  isFilter: action === 'iot:Subscribe',
  variable: (key: string) => values[key] ?? null,
});

policies('a denial goes before any allowance, also where a filter only reaches into it', () => {
  const statements = parsePolicy(
    document(
      statement('Allow', 'iot:*', '*'),
      statement('Deny', 'iot:Publish', arn('topic', 'secret/*')),
      statement('Deny', 'iot:Subscribe', arn('topicfilter', 'secret/*')),
    ),
  );
  assert.ok(evaluate(statements, asked('iot:Publish', arn('topic', 'open/x'))));
  assert.not(evaluate(statements, asked('iot:Publish', arn('topic', 'secret/x'))));
  for (const [wanted, allowed] of [
    ['secret/x', false],
    ['secret/#', false],
    ['#', false],
    ['+/x', false],
    ['open/#', true],
    ['$aws/#', true],
  ] as const)
    assert.is(evaluate(statements, asked('iot:Subscribe', arn('topicfilter', wanted))), allowed, wanted);
});

policies('a variable with a wildcard for its value allows nothing, and denies all it could mean', () => {
  const name = ['$', '{iot:ClientId}'].join('');
  const allow = parsePolicy(document(statement('Allow', 'iot:Publish', arn('topic', `${name}/x`))));
  assert.ok(evaluate(allow, asked('iot:Publish', arn('topic', 'c/x'), { 'iot:ClientId': 'c' })));
  for (const value of ['*', '?', '+', '#', 'a/b'])
    assert.not(evaluate(allow, asked('iot:Publish', arn('topic', `${value}/x`), { 'iot:ClientId': value })), value);
  assert.not(evaluate(allow, asked('iot:Publish', arn('topic', '/x'))), 'no value');
  const deny = parsePolicy(document(statement('Allow', 'iot:Publish', '*'), statement('Deny', 'iot:Publish', arn('topic', `${name}/x`))));
  assert.not(evaluate(deny, asked('iot:Publish', arn('topic', 'c/x'))));
});

policies('conditions ask for the thing of the connection', () => {
  const statements = parsePolicy(
    document(
      statement('Allow', 'iot:Connect', '*', {
        Condition: { Bool: { 'iot:Connection.Thing.IsAttached': 'true' }, StringLike: { 'iot:ClientId': ['T-*'] } },
      }),
    ),
  );
  assert.ok(
    evaluate(statements, asked('iot:Connect', arn('client', 'T-1'), { 'iot:Connection.Thing.IsAttached': 'true', 'iot:ClientId': 'T-1' })),
  );
  assert.not(
    evaluate(statements, asked('iot:Connect', arn('client', 'T-1'), { 'iot:Connection.Thing.IsAttached': 'false', 'iot:ClientId': 'T-1' })),
  );
  assert.not(
    evaluate(statements, asked('iot:Connect', arn('client', 'X'), { 'iot:Connection.Thing.IsAttached': 'true', 'iot:ClientId': 'X' })),
  );
});

policies('what cannot be understood is refused at the door, never left unenforced', async () => {
  const { policies: service } = await testThings();
  const bad = [
    '',
    'null',
    '[]',
    '{}',
    '{"Version":"2012-10-17"}',
    '{"Version":"2012-10-17","Statement":[]}',
    '{"Version":"2020-01-01","Statement":[]}',
    document(statement('Permit', 'iot:Publish', '*')),
    document(statement('Allow', 'Publish', '*')),
    document(statement('Allow', 'iot:Publish', 'topic/x')),
    document({ Effect: 'Deny', NotAction: 'iot:Publish', Resource: '*' }),
    document({ Effect: 'Deny', Action: 'iot:Publish', NotResource: '*' }),
    document(statement('Allow', 'iot:Publish', '*', { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })),
    document(statement('Allow', 'iot:Publish', '*', { Principal: '*' })),
    document(statement('Allow', 'iot:Publish', arn('topic', ['$', '{iot:Nobody.Knows}'].join('')))),
    document(statement('Allow', 'iot:Publish', arn('topic', 'x'.repeat(2_100)))),
    '{"Version":"2012-10-17","Statement":'.padEnd(200_000, '['),
    '{"__proto__":{"Statement":[]},"Version":"2012-10-17"}',
  ];
  for (const text of bad) assert.is(await refusal(() => service.create('p', text)), 'MalformedPolicy', text.slice(0, 80));
  assert.is(await refusal(() => service.create('a b', document(statement('Allow', 'iot:Publish', '*')))), 'InvalidRequest');
});

policies('versions, attachments and deletion keep AWS’s rules', async () => {
  const { policies: service, certificates } = await testThings();
  const text = document(statement('Allow', 'iot:Publish', '*'));
  const { certificate: made } = await certificates.create({ active: true });
  const one = certificate(made.id, made.arn);
  await service.create('p', text);
  assert.is(await refusal(() => service.create('p', text)), 'ResourceAlreadyExists');
  assert.is(await refusal(() => service.attach('p', arn('cert', 'f'.repeat(64)))), 'ResourceNotFound');
  await service.attach('p', made.arn);
  assert.ok(service.mayDo(one, 'iot:Publish', 'x'));
  await service.createVersion('p', document(statement('Deny', 'iot:Publish', '*')), { setAsDefault: true });
  assert.not(service.mayDo(one, 'iot:Publish', 'x'));
  await service.setDefaultVersion('p', '1');
  assert.ok(service.mayDo(one, 'iot:Publish', 'x'));
  assert.is(await refusal(() => service.removeVersion('p', '1')), 'DeleteConflict');
  for (let i = 0; i < 3; i++) await service.createVersion('p', text, { setAsDefault: false });
  assert.is(await refusal(() => service.createVersion('p', text, { setAsDefault: false })), 'VersionsLimitExceeded');
  assert.is(await refusal(() => service.remove('p')), 'DeleteConflict');
  await service.detach('p', made.arn);
  assert.not(service.mayDo(one, 'iot:Publish', 'x'));
  assert.is(await refusal(() => service.detach('p', made.arn)), 'InvalidRequest');
  for (const version of ['2', '3', '4', '5']) await service.removeVersion('p', version);
  await service.remove('p');
  assert.is(await refusal(() => service.describe('p')), 'ResourceNotFound');
});

policies('a policy of a group holds for the things below it, until they leave', async () => {
  const { policies: service, registry, one } = await twoThings();
  await registry.createGroup({ name: 'site' });
  await registry.createGroup({ name: 'row', parent: 'site' });
  await service.create('site-policy', document(statement('Allow', 'iot:Publish', arn('topic', 'site/x'))));
  await service.attach('site-policy', arn('thinggroup', 'site'));
  assert.not(service.mayDo(one, 'iot:Publish', 'site/x', 'T-1'));
  await registry.join('T-1', 'row');
  assert.ok(service.mayDo(one, 'iot:Publish', 'site/x', 'T-1'));
  await registry.leave('T-1', 'row');
  assert.not(service.mayDo(one, 'iot:Publish', 'site/x', 'T-1'));
  // a group made again under the same name does not inherit what the old one had
  await registry.removeGroup('row');
  await registry.removeGroup('site');
  await registry.createGroup({ name: 'site' });
  await registry.join('T-1', 'site');
  assert.not(service.mayDo(one, 'iot:Publish', 'site/x', 'T-1'));
});

policies.run();
