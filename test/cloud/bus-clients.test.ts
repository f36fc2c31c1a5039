/** A job's life over MQTT with mTLS, by the clients that people have: AWS's IotJobsClientv2 (MQTT 3.1.1 and 5), and paho with the original's habits. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { iot, iotjobs, mqtt, mqtt5 } from 'aws-iot-device-sdk-v2';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/contracts/log.ts';
import { embeddedBroker } from '../../cloud/bus/embedded.ts';
import { libsqlJobStore } from '../../cloud/jobs/libsql-store.ts';
import { serveJobs } from '../../cloud/jobs/mqtt.ts';
import { openJobService } from '../../cloud/jobs/service.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { leaveNativeClients } from '../kit/native-clients.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { freePort } from '../kit/free-port.ts';
import { packageRoot } from '../kit/package-root.ts';
import { has, hasPython, python } from '../kit/programs.ts';
import { testCa } from '../kit/test-ca.ts';
import { testThings } from '../kit/test-things.ts';

const clients = suite('bus clients');

async function openCloud(thing: string) {
  const ca = testCa();
  const device = ca.issue(thing);
  const things = testThings();
  things.add(device.fingerprint, thing);
  const folder = scratchFolder();
  const clock = wallClock();
  const broker = await embeddedBroker({
    host: '127.0.0.1',
    port: await freePort(),
    wall: clock,
    log: silentLog,
    tls: { port: await freePort(), material: ca.server, authorizer: things.authorizer },
  });
  const service = await openJobService({ clock, store: libsqlJobStore(join(folder, 'jobs.db')) });
  serveJobs(broker, service, clock, silentLog);
  const create = (jobId: string) =>
    service.create({ jobId, things: [thing], targets: [thing], document: { type: 'new_model', of: jobId } } as Parameters<
      typeof service.create
    >[0]);
  return {
    broker,
    service,
    device,
    create,
    port: broker.tlsAddress!.port,
    async close() {
      await service.close();
      await broker.close();
      removeFolder(folder);
      ca.remove();
    },
  };
}

type Cloud = Awaited<ReturnType<typeof openCloud>>;

const jobsClients: Record<string, (cloud: Cloud, thing: string) => Promise<{ client: iotjobs.IotJobsClientv2; end(): Promise<void> }>> = {
  async 'MQTT 3.1.1'({ port, device }, thing) {
    const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(device.cert, device.key)
      .with_certificate_authority(device.ca)
      .with_endpoint('localhost')
      .with_port(port)
      .with_client_id(thing)
      .with_clean_session(true)
      .build();
    const connection = new mqtt.MqttClient().new_connection(config);
    await connection.connect();
    const client = iotjobs.IotJobsClientv2.newFromMqtt311(connection, {
      maxRequestResponseSubscriptions: 10,
      maxStreamingSubscriptions: 10,
      operationTimeoutInSeconds: 20,
    });
    return {
      client,
      async end() {
        client.close();
        await connection.disconnect();
      },
    };
  },
  async 'MQTT 5'({ port, device }, thing) {
    const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory('localhost', device.cert, device.key)
      .withCertificateAuthority(device.ca)
      .withPort(port)
      .withConnectProperties({ clientId: thing, keepAliveIntervalSeconds: 60 });
    const protocol = new mqtt5.Mqtt5Client(builder.build());
    await new Promise<void>((connected, failed) => {
      protocol.once('connectionSuccess', () => connected());
      protocol.once('connectionFailure', ({ error }) => failed(error));
      protocol.start();
    });
    const client = iotjobs.IotJobsClientv2.newFromMqtt5(protocol, {
      maxRequestResponseSubscriptions: 10,
      maxStreamingSubscriptions: 10,
      operationTimeoutInSeconds: 20,
    });
    return {
      client,
      async end() {
        client.close();
        const stopped = new Promise<void>((done) => protocol.once('stopped', () => done()));
        protocol.stop();
        await stopped;
        protocol.close();
      },
    };
  },
};

if (has('openssl', 'openssl')) {
  for (const [protocol, open] of Object.entries(jobsClients)) {
    clients(`IotJobsClientv2 over ${protocol} and mTLS runs a job, and is told why when it may not`, async () => {
      const thing = 'T-aws';
      const cloud = await openCloud(thing);
      await cloud.create('first');
      const { client, end } = await open(cloud, thing);
      const notified: (string | undefined)[] = [];
      const stream = client.createNextJobExecutionChangedStream({ thingName: thing });
      const established = new Promise<void>((done) => stream.on('subscriptionStatus', ({ type }) => type === 0 && done()));
      const second = new Promise<void>((done) =>
        stream.on('incomingPublish', ({ message }) => {
          notified.push(message.execution?.jobId);
          if (message.execution?.jobId === 'second') done();
        }),
      );
      stream.open();
      await established;

      const pending = await client.getPendingJobExecutions({ thingName: thing });
      assert.equal(
        pending.queuedJobs?.map(({ jobId }) => jobId),
        ['first'],
      );
      const started = await client.startNextPendingJobExecution({ thingName: thing, statusDetails: { step: 'download' } });
      assert.is(started.execution?.jobId, 'first');
      assert.equal(started.execution?.jobDocument, { type: 'new_model', of: 'first' });
      const described = await client.describeJobExecution({ thingName: thing, jobId: '$next' });
      assert.is(described.execution?.status, 'IN_PROGRESS');
      const update = { thingName: thing, jobId: 'first', includeJobExecutionState: true } as const;
      const progress = await client.updateJobExecution({
        ...update,
        status: iotjobs.model.JobStatus.IN_PROGRESS,
        expectedVersion: 2,
        statusDetails: { step: 'canary' },
      });
      assert.is(progress.executionState?.versionNumber, 3);
      const stale = await client.updateJobExecution({ ...update, status: iotjobs.model.JobStatus.SUCCEEDED, expectedVersion: 2 }).then(
        () => null,
        (error: { readonly modeledError?: { readonly code?: string } }) => error,
      );
      assert.is(stale?.modeledError?.code, 'VersionMismatch');
      await cloud.create('second');
      await client.updateJobExecution({ ...update, status: iotjobs.model.JobStatus.SUCCEEDED, expectedVersion: 3 });
      await second;
      assert.is((await cloud.service.executions('first'))[0].status, 'SUCCEEDED');

      const foreign = await client.getPendingJobExecutions({ thingName: 'T-other' }).then(
        () => null,
        (error: Error) => error,
      );
      assert.ok(foreign); // its SUBACK said 0x80
      assert.ok(cloud.broker.counters()['refused.subscribe'] >= 1);
      stream.close();
      await end();
      await cloud.close();
    });
  }

  if (hasPython('paho.mqtt.client', 'python3-paho-mqtt')) {
    clients('paho with the habits of the original runs a job over mTLS', async () => {
      const cloud = await openCloud('T-paho');
      await cloud.create('ota-1');
      const { cert, key, ca } = cloud.device.files;
      const child = spawn(python, [join(packageRoot(), 'test/kit/paho-device.py'), String(cloud.port), 'T-paho', cert, key, ca]);
      let out = '';
      let err = '';
      child.stdout.on('data', (chunk) => (out += chunk));
      child.stderr.on('data', (chunk) => (err += chunk));
      const code = await new Promise((done) => child.on('close', done));

      assert.is(code, 0, err);
      const lines = out.trim().split('\n');
      assert.equal(lines.slice(0, 3), ['connect 0', 'granted 0 0 0', 'get/accepted']);
      for (const line of [
        'start-next/accepted',
        'document {"type": "new_model", "of": "ota-1"}',
        'ota-1/update/accepted',
        'token paho-1',
        'notify',
      ])
        assert.ok(lines.includes(line), `${line} in\n${out}`);
      assert.is((await cloud.service.executions('ota-1'))[0].status, 'SUCCEEDED');
      await cloud.close();
    });
  }
}

clients.after(leaveNativeClients);

clients.run();
