/** What comes to the door that no client of AWS's would send, and who gets in by what: keys of the owner, keys of a device, certificates. */
import { request as httpsRequest } from 'node:https';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEVICE_POLICY } from '../../cloud/things/policies.ts';
import { revokeThing } from '../../cloud/things/provisioning.ts';
import { type Answer, type Ask, ask, type Key, send, signedHeaders } from '../kit/aws-client.ts';
import { type AwsWorld, openAwsWorld } from '../kit/aws-world.ts';

const door = suite('aws-door');

let world: AwsWorld;
door.before(async () => {
  world = await openAwsWorld();
  for (const name of ['T-1', 'T-2', 'T-3']) world.cloud.registry.register(name);
  await world.cloud.jobs.create({ jobId: 'job', targets: ['T-1', 'T-2'], document: { a: 1 } });
  await world.pass(1_000);
});
door.after(() => world.close());

/** A certificate of that thing, under the policy that things have. */
async function certify(name: string) {
  const { certificates, registry, policies } = world.cloud.things;
  const { certificate, privateKeyPem } = await certificates.create({ active: true, commonName: name });
  await registry.attachPrincipal(name, certificate.arn);
  await policies.attach(DEVICE_POLICY, certificate.arn);
  return { ...certificate, privateKeyPem, caPem: await certificates.caPem() };
}

const post = (path: string, body: string | Uint8Array, service = 'iot-jobs-data'): Promise<Answer> =>
  ask(world.url, world.owner, { method: 'POST', path, body, service, headers: { 'content-type': 'application/json' } });
const kindOf = ({ status, json, headers }: Answer) => {
  assert.is(headers['x-amzn-errortype'], json['__type']);
  return `${status} ${json['__type']}`;
};

door('a version is read as a number and as text, as AWS’s documents show it', async () => {
  await world.cloud.jobs.create({ jobId: 'versions', targets: ['T-3'], document: { a: 1 } });
  await world.pass(1_000);
  const update = (expectedVersion: unknown) =>
    post('/things/T-3/jobs/versions', JSON.stringify({ status: 'IN_PROGRESS', expectedVersion }));

  assert.is((await update('1')).status, 200);
  assert.is((await update(2)).status, 200);
  assert.is(kindOf(await update('2')), '409 InvalidStateTransitionException');
});

door('bodies that are no JSON for us have the documented error, and the service goes on', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const bodies: [string, string | Uint8Array][] = [
    ['malformed', '{"status":'],
    ['wrong UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['no object', '[1]'],
    ['null', 'null'],
    ['a text', '"IN_PROGRESS"'],
    ['deep', `{"status":"IN_PROGRESS","statusDetails":${deep}}`],
    ['__proto__', '{"status":"IN_PROGRESS","statusDetails":{"__proto__":"x"}}'],
    ['constructor', '{"status":"IN_PROGRESS","statusDetails":{"constructor":"x"}}'],
    ['prototype at the top', '{"status":"IN_PROGRESS","__proto__":{"status":"SUCCEEDED"}}'],
    ['beyond 2^53', '{"status":"IN_PROGRESS","expectedVersion":9007199254740993}'],
    ['beyond doubles', '{"status":"IN_PROGRESS","expectedVersion":1e400}'],
    ['a fraction', '{"status":"IN_PROGRESS","expectedVersion":1.5}'],
    ['a fraction as text', '{"status":"IN_PROGRESS","expectedVersion":"1.5"}'],
    ['no number', '{"status":"IN_PROGRESS","expectedVersion":"one"}'],
    ['missing status', '{}'],
    ['wrong type', '{"status":7}'],
    ['null member', '{"status":"IN_PROGRESS","statusDetails":null}'],
    ['NUL', '{"status":"IN_PROGRESS\0"}'],
  ];
  for (const [what, body] of bodies) assert.is(kindOf(await post('/things/T-1/jobs/job', body)), '400 InvalidRequestException', what);
  assert.is(({} as { status?: string }).status, undefined);
  assert.is((await post('/things/T-1/jobs/job', '{"status":"IN_PROGRESS"}')).status, 200);
});

door('paths, queries and methods that are none have the documented error', async () => {
  const at = (method: string, path: string, service: string, headers: Record<string, string> = {}) =>
    ask(world.url, world.owner, { method, path, service, headers });
  for (const [method, path, service, expected] of [
    ['GET', '/things/%ff/jobs', 'iot-jobs-data', '400 InvalidRequestException'],
    ['GET', '/things/%2e%2e%2f/jobs', 'iot-jobs-data', '400 InvalidRequestException'],
    ['GET', '/things/a%20b/jobs', 'iot-jobs-data', '400 InvalidRequestException'],
    ['GET', `/things/${'x'.repeat(129)}/jobs`, 'iot-jobs-data', '400 InvalidRequestException'],
    ['GET', '/things/T-1/jobs/job?executionNumber=1.5', 'iot-jobs-data', '400 InvalidRequestException'],
    ['GET', '/things/T-1/jobs/job?executionNumber=99999999999999999999', 'iot', '400 InvalidRequestException'],
    ['GET', '/things/T-1/jobs/job?includeJobDocument=maybe', 'iot-jobs-data', '400 InvalidRequestException'],
    ['GET', '/jobs?maxResults=0', 'iot', '400 InvalidRequestException'],
    ['GET', '/jobs?maxResults=251', 'iot', '400 InvalidRequestException'],
    ['GET', '/jobs?status=LOST', 'iot', '400 InvalidRequestException'],
    ['PUT', '/jobs/a%2Fb', 'iot', '400 InvalidRequestException'],
    ['GET', '/jobs/unknown', 'iot', '404 ResourceNotFoundException'],
    ['GET', '/things/unknown', 'iot', '404 ResourceNotFoundException'],
    ['GET', '/nothing/here', 'iot', '404 UnknownOperationException'],
    ['PATCH', '/things/T-1/shadow', 'iotdata', '405 MethodNotAllowedException'],
    ['GET', '/', 'sagemaker', '404 UnknownOperationException'],
    ['GET', '/jobs', 's4', '403 UnrecognizedClientException'],
  ] as const)
    assert.is(kindOf(await at(method, path, service)), expected, `${method} ${path}`);
});

door('both spellings of $next, and of slashes in a topic', async () => {
  const next = (path: string) => ask(world.url, world.owner, { method: 'GET', path, service: 'iot-jobs-data' });
  for (const path of ['/things/T-2/jobs/$next', '/things/T-2/jobs/%24next?includeJobDocument=false'])
    assert.is(((await next(path)).json['execution'] as { jobId: string }).jobId, 'job');
  const heard: string[] = [];
  const spy = world.cloud.broker.connect('door-spy');
  await spy.subscribe('#', ({ topic }) => heard.push(topic));
  for (const path of ['/topics/a%2Fb%20c', '/topics/a/b%20c?qos=1', '/topics/a%252Fb'])
    assert.is((await ask(world.url, world.owner, { method: 'POST', path, service: 'iotdata', body: 'x' })).status, 200);
  await world.clock.settle();
  assert.equal(heard, ['a/b c', 'a/b c', 'a%2Fb']);
  await spy.close();
});

door('what is too large is refused, whether it says so or not', async () => {
  const shadow = (bytes: number) =>
    ask(world.url, world.owner, { method: 'POST', path: '/things/T-1/shadow', service: 'iotdata', body: Buffer.alloc(bytes, 32) });
  assert.is(kindOf(await shadow(64 * 1024)), '413 RequestEntityTooLargeException');
  assert.is(
    kindOf(
      await ask(world.url, world.owner, { method: 'POST', path: '/topics/a', service: 'iotdata', body: Buffer.alloc(128 * 1024 + 1) }),
    ),
    '413 RequestEntityTooLargeException',
  );
  const document = JSON.stringify({ targets: ['T-1'], document: JSON.stringify({ a: 'x'.repeat(32_768) }) });
  assert.is(
    kindOf(await ask(world.url, world.owner, { method: 'PUT', path: '/jobs/large', service: 'iot', body: document })),
    '400 InvalidRequestException',
  );
  const headers = {
    ...(await signedHeaders(new URL(world.url).host, world.owner, { method: 'POST', path: '/topics/a', service: 'iotdata', body: '' })),
    'transfer-encoding': 'chunked',
  };
  assert.is(kindOf(await send(world.url, 'POST', '/topics/a', headers, Buffer.alloc(200_000))), '413 RequestEntityTooLargeException');
  assert.is(kindOf(await send(world.url, 'POST', '/topics/a', { ...headers, 'content-encoding': 'gzip' }, 'x')).startsWith('4'), true);
});

door('signatures that are wrong, late, early, unsigned or of somebody else have AWS’s errors', async () => {
  const wanted: Ask = { method: 'GET', path: '/things/T-1', service: 'iot' };
  const minutes = (n: number) => new Date(Date.now() + n * 60_000);
  const by = (key: Key, more: Partial<Ask> = {}) => ask(world.url, key, { ...wanted, ...more });
  assert.is((await by(world.owner)).status, 200);
  assert.is(kindOf(await by({ ...world.owner, secretAccessKey: 'guess' })), '403 InvalidSignatureException');
  assert.is(kindOf(await by({ ...world.owner, accessKeyId: 'AKIDNOBODY' })), '403 UnrecognizedClientException');
  assert.is(kindOf(await by({ ...world.owner, sessionToken: 'made-up.token' })), '403 UnrecognizedClientException');
  assert.is(kindOf(await by(world.owner, { at: minutes(-6) })), '403 InvalidSignatureException');
  assert.is(kindOf(await by(world.owner, { at: minutes(6) })), '403 InvalidSignatureException');
  assert.is(kindOf(await send(world.url, 'GET', '/things/T-1', {})), '403 MissingAuthenticationTokenException');
  assert.is(
    kindOf(await send(world.url, 'GET', '/things/T-1?X-Amz-Signature=abc&X-Amz-Credential=x', {})),
    '400 IncompleteSignatureException',
  );
  const headers = await signedHeaders(new URL(world.url).host, world.owner, wanted);
  assert.is(kindOf(await send(world.url, 'GET', '/things/T-2', headers)), '403 InvalidSignatureException');
  assert.is(kindOf(await send(world.url, 'DELETE', '/things/T-1', headers)), '403 InvalidSignatureException');
});

door('a page cannot use what is signed: Host, Origin and site are checked for everybody', async () => {
  const wanted: Ask = { method: 'GET', path: '/things/T-1', service: 'iot' };
  const headers = await signedHeaders(new URL(world.url).host, world.owner, wanted);
  for (const [more, status] of [
    [{}, 200],
    [{ origin: world.url }, 200],
    [{ origin: 'http://evil.example' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
  ] as const)
    assert.is((await send(world.url, 'GET', wanted.path, { ...headers, ...more })).status, status);
  const rebound = await signedHeaders('evil.example', world.owner, wanted);
  assert.is((await send(world.url, 'GET', wanted.path, rebound)).status, 403);
  // what is not signed still needs JSON, and its own door
  assert.is((await send(world.url, 'POST', '/api/turbines/T-1/commands', { 'content-type': 'text/plain' }, '{}')).status, 415);
  assert.is((await send(world.url, 'GET', '/healthz', {})).status, 200);
  const endpoint = await send(world.url, 'GET', '/endpoint?endpointType=iot:Data-ATS', {}); // the console's own, for devices of before
  assert.is(endpoint.headers['x-amzn-errortype'], undefined);
  assert.is((await send(world.url, 'POST', '/topics/a', { 'content-type': 'text/plain' }, 'x')).status, 403);
});

door('a certificate opens the data planes over HTTPS, for its own thing alone, until it is revoked', async () => {
  const things = world.cloud.things;
  const { pem, privateKeyPem, caPem } = await certify('T-1');
  const over = (method: string, path: string, body?: string, pair: object = { key: privateKeyPem, cert: pem }) =>
    new Promise<Answer>((done, failed) => {
      const [host, port] = world.doors.https.split(':');
      const asked = httpsRequest({ host, port, method, path, ca: caPem, ...pair, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          done({ status: response.statusCode ?? 0, headers: response.headers, bytes, json: JSON.parse(bytes.toString() || '{}') });
        });
      });
      asked.on('error', failed);
      asked.end(body);
    });

  const pending = await over('GET', '/things/T-1/jobs');
  assert.is((pending.json['inProgressJobs'] as object[]).length, 1); // the data plane's answer, not the control plane's
  assert.is((await over('POST', '/things/T-1/shadow', '{"state":{"reported":{"a":1}}}')).status, 200);
  assert.is((await over('POST', '/topics/wind-turbine%2Flogs%2FT-1?qos=1', '{"logs":[]}')).status, 200);
  for (const [method, path] of [
    ['GET', '/things/T-2/jobs'],
    ['PUT', '/things/T-2/jobs/$next'],
    ['POST', '/things/T-2/jobs/job'],
    ['GET', '/things/T-2/jobs/job'],
  ] as const)
    assert.is(kindOf(await over(method, path, method === 'GET' ? undefined : '{"status":"FAILED"}')), '403 AccessDeniedException', path);
  for (const [method, path] of [
    ['GET', '/things/T-2/shadow'],
    ['POST', '/things/T-2/shadow'],
    ['POST', '/topics/wind-turbine%2Flogs%2FT-2'],
    ['POST', '/topics/%24aws%2Fthings%2FT-2%2Fjobs%2Fjob%2Fupdate'],
    ['POST', '/topics/%24aws%2Fthings%2FT-1%2Fjobs%2Fget?retain=True'],
    ['GET', '/retainedMessage'],
    ['GET', '/retainedMessage/a%2Fb'],
    ['GET', '/api/things/shadow/ListNamedShadowsForThing/T-2'],
  ] as const)
    assert.is(kindOf(await over(method, path, method === 'GET' ? undefined : '{}')), '401 UnauthorizedException', path);
  assert.is(kindOf(await over('GET', '/jobs')), '404 UnknownOperationException'); // no control plane without a signature
  assert.is(kindOf(await over('GET', '/things/T-1/jobs', undefined, {})), '403 MissingAuthenticationTokenException');

  await revokeThing(things, 'T-1');
  assert.is(kindOf(await over('GET', '/things/T-1/jobs')), '400 CertificateValidationException');
  assert.is(kindOf(await over('GET', '/things/T-1/shadow')), '401 UnauthorizedException');
});

door('the keys that a certificate was lent may what its thing may, and end', async () => {
  const things = world.cloud.things;
  const { id, arn } = await certify('T-2');
  const { accessKeyId, secretAccessKey, sessionToken } = things.credentials.assume(
    { kind: 'certificate', id, arn },
    'windfleet-device',
    'T-2',
  );
  const key = { accessKeyId, secretAccessKey, sessionToken };
  const by = (method: string, path: string, service: string, body?: string, headers: Record<string, string> = {}) =>
    ask(world.url, key, { method, path, service, headers, ...(body === undefined ? {} : { body }) });

  const fleet = JSON.stringify({ DeviceName: 'T-2', DeviceFleetName: 'windturbine-farm' });
  const described = await by('POST', '/', 'sagemaker', fleet, {
    'x-amz-target': 'SageMaker.DescribeDevice',
    'content-type': 'application/x-amz-json-1.1',
  });
  assert.equal([described.status, described.json['IotThingName']], [200, 'T-2']);
  assert.is((await by('GET', '/endpoint?endpointType=iot%3AData-ATS', 'iot')).status, 200);
  assert.is((await by('GET', '/things/T-2/jobs', 'iot-jobs-data')).status, 200);
  const beat = JSON.stringify({
    ...JSON.parse(fleet),
    AgentVersion: '1.0',
    Models: [{ ModelName: 'anomaly', ModelVersion: '1.1', LatestInference: 1_700_000_000 }],
  });
  assert.is((await by('POST', '/SendHeartbeat', 'sagemaker', beat)).status, 200);
  assert.is((await by('POST', '/GetDeviceRegistration', 'sagemaker-edge', fleet)).json['CacheTTL'], '3600');

  const other = fleet.replace('T-2', 'T-1');
  assert.is(kindOf(await by('POST', '/', 'sagemaker', other, { 'x-amz-target': 'SageMaker.DescribeDevice' })), '403 AccessDeniedException');
  assert.is(kindOf(await by('POST', '/', 'sagemaker', '{}', { 'x-amz-target': 'SageMaker.ListDevices' })), '403 AccessDeniedException');
  assert.is(kindOf(await by('POST', '/SendHeartbeat', 'sagemaker', beat.replace('T-2', 'T-1'))), '403 AccessDeniedException');
  assert.is(kindOf(await by('GET', '/things/T-2', 'iot')), '401 UnauthorizedException');
  assert.is((await by('DELETE', '/jobs/job', 'iot')).status, 403);
  assert.is((await by('GET', '/things/T-1/jobs', 'iot-jobs-data')).status, 403);
  const stolen = await ask(
    world.url,
    { accessKeyId, secretAccessKey },
    { method: 'GET', path: '/things/T-2/jobs', service: 'iot-jobs-data' },
  );
  assert.is(kindOf(stolen), '403 UnrecognizedClientException');
});

door('every refusal is counted', async () => {
  const metrics = (await send(world.url, 'GET', '/metrics', {})).bytes.toString();
  for (const wanted of [
    /windfleet_aws_requests_total\{plane="iot-jobs-data",operation="UpdateJobExecution",outcome="ok"\} [1-9]/,
    /windfleet_aws_requests_total\{plane="iot-jobs-data",operation="UpdateJobExecution",outcome="InvalidRequestException"\} [1-9]/,
    /windfleet_aws_requests_total\{plane="iot",operation="[^"]+",outcome="InvalidSignatureException"\} [1-9]/,
  ])
    assert.match(metrics, wanted);
});

door.run();
