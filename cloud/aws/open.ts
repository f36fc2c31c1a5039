/** Puts the AWS-shaped API together: its planes over the services behind them, one door for all. */
import { randomBytes } from 'node:crypto';
import type { Broker, Bus } from '../../actors/contracts/bus.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
import { FleetError } from '../../actors/contracts/errors.ts';
import type { JobsControl, JobsDevice } from '../../actors/contracts/jobs.ts';
import type { Log } from '../../actors/contracts/log.ts';
import { parseArn, type Place } from '../things/arns.ts';
import type { Endpoints, Things } from '../things/ports.ts';
import { type AwsFront, createAwsFront, type Plane } from './front.ts';
import { createPages } from './page.ts';
import { certificateOperations } from './planes/certificates.ts';
import { groupOperations } from './planes/groups.ts';
import { iotDataPlane } from './planes/iot-data.ts';
import { jobTemplateOperations } from './planes/job-templates.ts';
import { jobOperations } from './planes/jobs.ts';
import { jobsDataPlane } from './planes/jobs-data.ts';
import { sageMakerEdgePlane, sageMakerPlane } from './planes/sagemaker.ts';
import { thingOperations } from './planes/things.ts';
import { createThrottle, type Rate } from './throttle.ts';

export interface AwsServices {
  readonly things: Things;
  readonly jobs: JobsControl;
  readonly device: JobsDevice;
  readonly broker: Pick<Broker, 'retained'>;
  /** By which `Publish` speaks. */
  readonly bus: Bus;
  readonly endpoints: Endpoints;
  readonly place: Place;
}

export interface AwsTools {
  /** The service's time: what timers and answers say. */
  readonly clock: Pick<Clock, 'now' | 'epoch'>;
  /** The clients' time: what signatures are dated by. */
  readonly wall: Pick<Clock, 'now' | 'epoch'>;
  readonly log: Log;
  /** Requests a second; absent: more than a machine of this kind serves. */
  readonly rates?: { readonly owner: Rate; readonly device: Rate };
}

const RATES = { owner: { perSecond: 100_000, burst: 100_000 }, device: { perSecond: 200, burst: 1_000 } };

export function openAws(services: AwsServices, { clock, wall, log, rates = RATES }: AwsTools): AwsFront {
  const { things, jobs, device, broker, bus, endpoints, place } = services;
  const { registry, tags, certificates, policies, credentials, shadows, identities, edgeDevices } = things;
  const now = () => clock.epoch + clock.now();
  const wallNow = () => wall.epoch + wall.now();

  /** Whether there is something of that ARN, as tags want to know. */
  const exists = async (arn: string): Promise<boolean> => {
    const { kind, name } = parseArn(arn) ?? { kind: '', name: '' };
    const ask: { readonly [kind: string]: () => unknown } = {
      thinggroup: () => registry.describeGroup(name),
      thingtype: () => registry.describeType(name),
      policy: () => policies.describe(name),
      rolealias: () => credentials.describeRoleAlias(name),
      job: () => jobs.describe(name),
      jobtemplate: () => jobs.describeTemplate(name),
    };
    if (!Object.hasOwn(ask, kind)) return false;
    try {
      await ask[kind]();
      return true;
    } catch (error) {
      if (error instanceof FleetError && isMissing(error)) return false;
      throw error;
    }
  };

  const iot: Plane = {
    name: 'iot',
    scopes: ['iot', 'execute-api'], // botocore before 1.30 signs for `execute-api`
    byCertificate: false,
    contentType: 'application/json',
    throttledStatus: 400,
    allows: (_, { name }) => name === 'DescribeEndpoint', // what devices ask with the keys of their role
    operations: [
      ...jobOperations({ jobs, registry, tags, place, now }),
      ...jobTemplateOperations(jobs, tags, place),
      ...thingOperations(registry, tags, place),
      ...groupOperations(registry, tags, place, exists),
      ...certificateOperations({ certificates, policies, credentials, endpoints, tags, place }),
    ],
  };
  const sageMaker = { devices: edgeDevices, registry, identities, credentials, place, now };

  return createAwsFront({
    planes: [
      iot,
      jobsDataPlane(device, registry, policies, now),
      iotDataPlane({ registry, shadows, policies, broker, bus, now }),
      sageMakerPlane(sageMaker),
      sageMakerEdgePlane(sageMaker),
    ],
    keys(accessKeyId, sessionToken) {
      const found = credentials.find(accessKeyId, sessionToken);
      return found && { secretAccessKey: found.secretAccessKey, expiresAt: found.expiresAt, caller: found.principal };
    },
    now: wallNow,
    pages: createPages(credentials.owner.secretAccessKey),
    throttle: createThrottle(rates, wallNow),
    log,
    requestId: requestIds(randomBytes(10).toString('hex')),
  });
}

const isMissing = (error: FleetError) => error.code === 'not.found' || ('reason' in error && error.reason === 'ResourceNotFound');

/** Of the form of a UUID: the run's own digits, then a number that goes up. */
function requestIds(run: string): () => string {
  let next = 1;
  return () =>
    `${run.slice(0, 8)}-${run.slice(8, 12)}-4${run.slice(12, 15)}-a${run.slice(15, 18)}-${(next++).toString(16).padStart(12, '0')}`;
}
