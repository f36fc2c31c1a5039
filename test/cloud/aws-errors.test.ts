/**
 * Every modelled error of every operation, provoked by what the services behind it answer. (What the services themselves refuse,
 * and when, is in `aws-planes.test.ts` and in their own tests.)
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { JobRefused, StoreUnavailable, ThingRefused } from '../../actors/contracts/errors.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import type { FailureName } from '../../cloud/aws/failure.ts';
import { openAws } from '../../cloud/aws/open.ts';
import type { Operation } from '../../cloud/aws/operation.ts';
import { DEFAULT_PLACE } from '../../cloud/things/arns.ts';
import type { Principal } from '../../cloud/things/ports.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { type Answer, ask, send, signedHeaders } from '../kit/aws-client.ts';
import { freePort } from '../kit/free-port.ts';
import { has } from '../kit/programs.ts';

const errors = suite('aws-errors');

const OWNER = { accessKeyId: 'AKIDOWNER', secretAccessKey: 'owner-secret' };
const DEVICE = { accessKeyId: 'ASIADEVICE', secretAccessKey: 'device-secret', sessionToken: 'device-token' };

/** Services that all fail in one way, whatever is asked of them. */
function failingWith(error: () => Error): never {
  const failing: unknown = new Proxy(() => {}, {
    get: (_, name) => (name === 'then' ? undefined : failing),
    apply: () => {
      throw error();
    },
  });
  return failing as never;
}

const except = (failing: object, working: object): never =>
  new Proxy(working, { get: (_, name) => Reflect.get(name in working ? working : failing, name) }) as never;

async function openDoor(error: () => Error, { perSecond = 1_000 }: { perSecond?: number } = {}) {
  const failing = failingWith(error);
  const logged: string[] = [];
  const front = openAws(
    {
      things: {
        registry: failing,
        tags: failing,
        certificates: failing,
        shadows: failing,
        edgeDevices: failing,
        identities: { ofCertificate: () => null, thingOf: () => null },
        policies: except(failing, { mayDo: () => false }),
        credentials: except(failing, {
          owner: OWNER,
          find: (id: string, token: string | null) =>
            id === OWNER.accessKeyId
              ? {
                  secretAccessKey: OWNER.secretAccessKey,
                  expiresAt: null,
                  principal: { kind: 'owner', arn: 'arn:owner' } satisfies Principal,
                }
              : id === DEVICE.accessKeyId && token === DEVICE.sessionToken
                ? { secretAccessKey: DEVICE.secretAccessKey, expiresAt: null, principal: DEVICE_PRINCIPAL }
                : null,
        }),
        close: async () => {},
      } as never,
      jobs: failing,
      device: failing,
      broker: { retained: failing },
      bus: failing,
      endpoints: { of: failing },
      place: DEFAULT_PLACE,
    },
    {
      clock: wallClock(),
      wall: wallClock(),
      log: { ...silentLog, error: (fields, message) => logged.push(`${JSON.stringify(fields)} ${message}`) },
      rates: { owner: { perSecond, burst: perSecond }, device: { perSecond, burst: perSecond } },
    },
  );
  let certificate: Principal | null | undefined;
  const server = createServer((request, response) => front.answer(request, response, certificate));
  server.unref();
  const port = await freePort();
  await new Promise<void>((up) => server.listen(port, '127.0.0.1', up));
  return {
    front,
    logged,
    url: `http://127.0.0.1:${port}`,
    speakAs(caller: Principal | null | undefined) {
      certificate = caller;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((down) => server.close(down));
    },
  };
}

const DEVICE_PRINCIPAL: Principal = { kind: 'role', arn: 'arn:role', alias: 'edge', certificate: 'c', thing: 'T-001' };

const SAMPLE: Readonly<Record<string, string>> = {
  certificateId: 'a'.repeat(64),
  target: 'arn%3Aaws%3Aiot%3Aus-east-1%3A000000000000%3Acert%2Fa',
  topic: 'wind-turbine%2Flogs%2FT-001',
  executionNumber: '1',
};
const QUERY: Readonly<Record<string, string>> = {
  UpdateCertificate: '?newStatus=INACTIVE',
  ListTagsForResource: '?resourceArn=arn%3Aaws%3Aiot%3Aus-east-1%3A000000000000%3Ajob%2Fa',
};
const ARN = 'arn:aws:iot:us-east-1:000000000000:job/a';
const PAIR = { thingGroupName: 'g', thingName: 'T-001' };
const DEVICE_BODY = { DeviceName: 'd', DeviceFleetName: 'f' };
/** A body that each operation takes; `{}` where it is not named. */
const BODY: Readonly<Record<string, object>> = {
  CreateJob: { targets: ['T-001'], document: '{}' },
  AssociateTargetsWithJob: { targets: ['T-001'] },
  CreateJobTemplate: { description: 'd', document: '{}' },
  UpdateThingGroup: { thingGroupProperties: {} },
  AddThingToThingGroup: PAIR,
  RemoveThingFromThingGroup: PAIR,
  UpdateThingGroupsForThing: { thingName: 'T-001', thingGroupsToAdd: ['g'] },
  TagResource: { resourceArn: ARN, tags: [{ Key: 'a', Value: 'b' }] },
  UntagResource: { resourceArn: ARN, tagKeys: ['a'] },
  CreateCertificateFromCsr: { certificateSigningRequest: 'x' },
  CreatePolicy: { policyDocument: '{}' },
  AttachPolicy: { target: 'arn:a' },
  DetachPolicy: { target: 'arn:a' },
  CreateRoleAlias: { roleArn: 'arn:aws:iam::000000000000:role/edge' },
  UpdateJobExecution: { status: 'IN_PROGRESS' },
  DescribeDevice: DEVICE_BODY,
  RegisterDevices: { DeviceFleetName: 'f', Devices: [{ DeviceName: 'd' }] },
  DeregisterDevices: { DeviceFleetName: 'f', DeviceNames: ['d'] },
  CreateDeviceFleet: { DeviceFleetName: 'f', OutputConfig: { S3OutputLocation: 's3://bucket/captures' } },
  DescribeDeviceFleet: { DeviceFleetName: 'f' },
  DeleteDeviceFleet: { DeviceFleetName: 'f' },
  GetDeviceFleetReport: { DeviceFleetName: 'f' },
  GetDeviceRegistration: DEVICE_BODY,
  SendHeartbeat: { ...DEVICE_BODY, AgentVersion: '1' },
  GetDeployments: DEVICE_BODY,
};

type Door = Awaited<ReturnType<typeof openDoor>>;

function wire(plane: string, { name, method, path }: Operation) {
  const target = plane === 'sagemaker' ? { 'x-amz-target': path.slice(1) } : {};
  const filled = plane === 'sagemaker' ? '/' : path.replace(/\{(\w+)\+?\}/g, (_, parameter: string) => SAMPLE[parameter] ?? 'T-001');
  const isBlob = name === 'Publish' || name === 'UpdateThingShadow';
  const body = ['GET', 'DELETE'].includes(method) ? undefined : isBlob ? '{"state":{}}' : JSON.stringify(BODY[name] ?? {});
  return {
    method,
    service: plane === 'sagemaker-edge' ? 'sagemaker' : plane,
    path: `${filled}${QUERY[name] ?? ''}`,
    headers: {
      ...target,
      ...(/Principal/.test(name) ? { 'x-amzn-principal': 'arn:a' } : {}),
    },
    ...(body === undefined ? {} : { body }),
  };
}

const REASONS: Partial<Record<FailureName, () => Error>> = {
  InvalidRequestException: () => new ThingRefused('InvalidRequest', 'so'),
  ResourceNotFoundException: () => new ThingRefused('ResourceNotFound', 'so'),
  ResourceAlreadyExistsException: () => new JobRefused('ResourceAlreadyExists', 'so'),
  VersionConflictException: () => new ThingRefused('VersionConflict', 'so'),
  ConflictException: () => new ThingRefused('Conflict', 'so'),
  DeleteConflictException: () => new ThingRefused('DeleteConflict', 'so'),
  InvalidStateTransitionException: () => new JobRefused('InvalidStateTransition', 'so'),
  TerminalStateException: () => new JobRefused('TerminalStateReached', 'so'),
  LimitExceededException: () => new JobRefused('LimitExceeded', 'so'),
  MalformedPolicyException: () => new ThingRefused('MalformedPolicy', 'so'),
  CertificateStateException: () => new ThingRefused('CertificateState', 'so'),
  RequestEntityTooLargeException: () => new ThingRefused('RequestEntityTooLarge', 'so'),
  UnsupportedDocumentEncodingException: () => new ThingRefused('UnsupportedDocumentEncoding', 'so'),
  ServiceUnavailableException: () => new StoreUnavailable('disk full'),
  InternalFailureException: () => new Error('secret inside'),
  InternalServiceException: () => new Error('secret inside'),
  ResourceInUse: () => new ThingRefused('ResourceInUse', 'so'),
  ResourceNotFound: () => new ThingRefused('ResourceNotFound', 'so'),
  ResourceLimitExceeded: () => new ThingRefused('LimitExceeded', 'so'),
  ValidationException: () => new ThingRefused('InvalidRequest', 'so'),
};

/** What the client gets when an error is provoked. */
async function provoke(
  code: FailureName,
  plane: string,
  operation: Operation,
  door: (error: () => Error) => Promise<Door>,
): Promise<Answer> {
  const wanted = wire(plane, operation);
  const reason = REASONS[code];
  if (reason) {
    const { url } = await door(reason);
    return ask(url, OWNER, wanted);
  }
  const { url, speakAs } = await door(() => new Error('not reached'));
  if (code === 'CertificateValidationException') {
    speakAs(null);
    const answer = await send(url, wanted.method, wanted.path, {}, wanted.body);
    speakAs(undefined);
    return answer;
  }
  if (code === 'UnauthorizedException' || code === 'AccessDeniedException') return ask(url, DEVICE, wanted);
  if (code === 'MethodNotAllowedException') return ask(url, OWNER, { ...wanted, method: 'PATCH' });
  throw new Error(`nothing provokes ${code}`);
}

errors('every modelled error of every operation can be provoked, and has its status', async () => {
  const doors = new Map<string, Promise<Door>>();
  const door = (error: () => Error) => {
    const key = String(error);
    const known = doors.get(key) ?? openDoor(error, { perSecond: 1e6 });
    doors.set(key, known);
    return known;
  };
  const throttled = await openDoor(() => new Error('not reached'), { perSecond: 0 });
  const { planes } = await door(() => new Error('first')).then(({ front }) => front);
  let provoked = 0;
  for (const { name: plane, operations, throttledStatus } of planes) {
    for (const operation of operations) {
      for (const code of operation.errors) {
        const what = `${plane}.${operation.name} ${code}`;
        const answer =
          code === 'ThrottlingException'
            ? await ask(throttled.url, OWNER, wire(plane, operation))
            : await provoke(code, plane, operation, door);
        const isOwn = operation.name === 'DescribeEndpoint' && code === 'UnauthorizedException'; // any device may ask for it
        if (isOwn) continue;
        assert.is(answer.headers['x-amzn-errortype'], code, what);
        assert.is(answer.json['__type'], code, what);
        assert.type(answer.json['message'], 'string', what);
        assert.match(String(answer.headers['x-amzn-requestid']), /^[0-9a-f-]{36}$/);
        assert.is(answer.status, code === 'ThrottlingException' ? throttledStatus : STATUS[code], what);
        assert.not.match(answer.bytes.toString(), 'secret inside', what);
        provoked++;
      }
    }
  }
  assert.ok(provoked > 300, `only ${provoked} were provoked`);
  for (const opened of [throttled, ...(await Promise.all(doors.values()))]) await opened.close();
});

const STATUS: Partial<Record<FailureName, number>> = {
  InvalidRequestException: 400,
  MalformedPolicyException: 400,
  CertificateValidationException: 400,
  ValidationException: 400,
  ResourceInUse: 400,
  ResourceNotFound: 400,
  ResourceLimitExceeded: 400,
  UnauthorizedException: 401,
  AccessDeniedException: 403,
  ResourceNotFoundException: 404,
  MethodNotAllowedException: 405,
  CertificateStateException: 406,
  ConflictException: 409,
  DeleteConflictException: 409,
  InvalidStateTransitionException: 409,
  ResourceAlreadyExistsException: 409,
  VersionConflictException: 409,
  LimitExceededException: 410,
  TerminalStateException: 410,
  RequestEntityTooLargeException: 413,
  UnsupportedDocumentEncodingException: 415,
  InternalFailureException: 500,
  InternalServiceException: 500,
  ServiceUnavailableException: 503,
};

errors('operations, paths, methods and errors are those of the service models', async () => {
  const models = '/usr/lib/python3/dist-packages/botocore/data';
  if (!has('python3', 'python3-boto3') || !existsSync(`${models}/iot`)) return;
  const { front, close } = await openDoor(() => new Error('not reached'));
  for (const [plane, model] of [
    ['iot', 'iot'],
    ['iot-jobs-data', 'iot-jobs-data'],
    ['iotdata', 'iot-data'],
    ['sagemaker-edge', 'sagemaker-edge'],
  ] as const) {
    const { operations, shapes } = JSON.parse(readFileSync(newest(`${models}/${model}`), 'utf8')) as {
      operations: Record<string, { http: { method: string; requestUri: string }; errors?: { shape: string }[] }>;
      shapes: Record<string, { error?: { httpStatusCode: number } }>;
    };
    for (const ours of front.planes.find(({ name }) => name === plane)?.operations ?? []) {
      const theirs = operations[ours.name];
      assert.ok(theirs, `${plane}.${ours.name} is an operation of AWS`);
      assert.is(`${ours.method} ${ours.path.replace('+}', '}')}`, `${theirs.http.method} ${theirs.http.requestUri}`, ours.name);
      for (const { shape } of plane === 'sagemaker-edge' ? [] : (theirs.errors ?? [])) {
        assert.ok(ours.errors.includes(shape as FailureName), `${plane}.${ours.name} lacks ${shape}`);
        const status = shapes[shape].error?.httpStatusCode;
        if (shape !== 'ThrottlingException') assert.is(STATUS[shape as FailureName], status, shape);
      }
    }
  }
  await close();
});

const newest = (folder: string) => `${folder}/${readdirSync(folder).sort().at(-1)}/service-2.json`;

errors('a defect is logged without what was asked, and told without its inside', async () => {
  const { url, logged, front, close } = await openDoor(() => new Error('the inside'));
  const wanted = { method: 'GET', path: '/things/T-001?token=hush', service: 'iot' };
  const answer = await ask(url, OWNER, wanted);
  assert.is(answer.status, 500);
  assert.not.match(answer.bytes.toString(), 'the inside');
  assert.is(logged.length, 1);
  const headers = await signedHeaders(new URL(url).host, OWNER, wanted);
  for (const secret of ['hush', OWNER.secretAccessKey, OWNER.accessKeyId, headers['authorization']])
    assert.not.ok(logged[0].includes(secret));
  assert.ok(logged[0].includes(String(answer.headers['x-amzn-requestid'])));
  assert.equal([...front.counts()], [{ plane: 'iot', operation: 'DescribeThing', outcome: 'InternalFailureException', count: 1 }]);
  await close();
});

errors.run();
