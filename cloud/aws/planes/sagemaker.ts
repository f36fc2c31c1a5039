/** `sagemaker` and `sagemaker-edge`, as far as an edge agent and its console ask for: devices, their registration and heartbeats. */
import { z } from 'zod';
import { ThingRefused } from '../../../actors/contracts/errors.ts';
import type { Millis } from '../../../actors/contracts/units.ts';
import { arnOf, type Place } from '../../things/arns.ts';
import type { Credentials, EdgeDevice, EdgeDevices, Identities, Principal, Registry } from '../../things/ports.ts';
import { AwsFailure, type FailureName } from '../failure.ts';
import type { Plane } from '../front.ts';
import { type Call, operation } from '../operation.ts';
import { parseJsonObject } from '../json.ts';
import { RegistryName, seconds } from '../shapes.ts';

export interface SageMakerServices {
  readonly devices: EdgeDevices;
  readonly registry: Registry;
  readonly identities: Identities;
  readonly credentials: Pick<Credentials, 'createRoleAlias' | 'roleAliases'>;
  readonly place: Place;
  /** Epoch milliseconds of the service's time. */
  readonly now: () => Millis;
}

const Name = z.string().regex(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/, '1 to 63 letters, digits and single hyphens within');
/** Devices of the fleet are called as its things are, `T-001` or `edge_device`. */
const DeviceName = z.string().regex(/^[a-zA-Z0-9](-*_*[a-zA-Z0-9]){0,62}$/, '1 to 63 letters, digits, hyphens and underscores');
const OfDevice = z.object({ DeviceName, DeviceFleetName: DeviceName });
const Seconds = z.number().nonnegative();
const MaxResults = z.int().min(1).max(100).optional();

const SAGEMAKER: readonly FailureName[] = [
  'ValidationException',
  'ThrottlingException',
  'AccessDeniedException',
  'ServiceUnavailableException',
];
const EDGE: readonly FailureName[] = ['ValidationException', 'InternalServiceException', 'ThrottlingException', 'AccessDeniedException'];

const HEARTBEAT_ALIVE_MS = 5 * 60_000; // a device counts as connected so long after its last heartbeat
const ACTIVE_MS = 5 * 60_000; // a model counts as active so long after its last inference

/** A device may ask about itself alone: its name, or the thing that it stands for. */
function isItself({ devices, identities }: SageMakerServices, caller: Principal, call: Call): boolean {
  const { DeviceName: device, DeviceFleetName: fleet } = parseJsonObject(call.body);
  const thing = identities.thingOf(caller);
  if (thing === null || typeof device !== 'string' || typeof fleet !== 'string') return false;
  try {
    return devices.describe(device, fleet).thing === thing;
  } catch (error) {
    if (error instanceof ThingRefused) return false;
    throw error;
  }
}

export function sageMakerPlane(services: SageMakerServices): Plane {
  const { devices, registry, credentials, place, now } = services;
  const arn = (kind: string, name: string) => `arn:aws:sagemaker:${place.region}:${place.account}:${kind}/${name.toLowerCase()}`;

  const models = (device: EdgeDevice) =>
    device.models.map(({ name, version, latestSampleAt, latestInferenceAt }) => ({
      ModelName: name,
      ModelVersion: version,
      LatestSampleTime: seconds(latestSampleAt),
      LatestInference: seconds(latestInferenceAt),
    }));
  const summary = (device: EdgeDevice) => ({
    DeviceName: device.deviceName,
    DeviceArn: arn(`device-fleet/${device.fleetName}/device`, device.deviceName),
    Description: device.description === '' ? undefined : device.description,
    DeviceFleetName: device.fleetName,
    IotThingName: device.thing,
    RegistrationTime: seconds(device.registeredAt),
    LatestHeartbeat: seconds(device.latestHeartbeat),
    Models: device.models.length > 0 ? models(device) : undefined,
    AgentVersion: device.agentVersion ?? undefined,
  });

  const hasAlias = (fleet: string) => credentials.roleAliases().some(({ alias }) => alias === aliasOf(fleet));

  return {
    name: 'sagemaker',
    scopes: ['sagemaker'],
    byCertificate: false,
    contentType: 'application/x-amz-json-1.1',
    throttledStatus: 400,
    pathOf: (headers, path) => (path === '/' ? `/${headers.get('x-amz-target') ?? ''}` : path),
    allows: (caller, { name }, call) => name === 'DescribeDevice' && isItself(services, caller, call),
    operations: [
      operation(
        'DescribeDevice',
        'POST /SageMaker.DescribeDevice',
        { body: OfDevice.extend({ NextToken: z.string().optional() }), errors: [...SAGEMAKER, 'ResourceNotFound'] },
        ({ DeviceName, DeviceFleetName }) => ({ ...summary(devices.describe(DeviceName, DeviceFleetName)), MaxModels: MAX_MODELS }),
      ),
      operation(
        'ListDevices',
        'POST /SageMaker.ListDevices',
        {
          body: z.object({
            NextToken: z.string().optional(),
            MaxResults,
            LatestHeartbeatAfter: Seconds.optional(),
            ModelName: Name.optional(),
            DeviceFleetName: DeviceName.optional(),
          }),
          errors: SAGEMAKER,
        },
        ({ NextToken, MaxResults, LatestHeartbeatAfter, ModelName, DeviceFleetName }, { pages }) => {
          const keyOf = ({ fleetName, deviceName }: EdgeDevice) => `${fleetName}\n${deviceName}`;
          const found = devices
            .list(DeviceFleetName)
            .filter(
              ({ latestHeartbeat, models }) =>
                (LatestHeartbeatAfter === undefined || (latestHeartbeat ?? 0) > LatestHeartbeatAfter * 1_000) &&
                (ModelName === undefined || models.some(({ name }) => name === ModelName)),
            )
            .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
          const page = pages.cut(['ListDevices', LatestHeartbeatAfter, ModelName, DeviceFleetName], found, keyOf, {
            limit: MaxResults,
            token: NextToken,
          });
          return { DeviceSummaries: page.items.map(summary), NextToken: page.token };
        },
      ),
      operation(
        'RegisterDevices',
        'POST /SageMaker.RegisterDevices',
        {
          body: z.object({
            DeviceFleetName: DeviceName,
            Devices: z
              .array(z.object({ DeviceName, Description: z.string().min(1).max(40).optional(), IotThingName: RegistryName.optional() }))
              .min(1)
              .max(100),
          }),
          errors: [...SAGEMAKER, 'ResourceLimitExceeded'],
        },
        async ({ DeviceFleetName: fleetName, Devices }) => {
          for (const { IotThingName } of Devices) if (IotThingName !== undefined) registry.describe(IotThingName); // all or none
          for (const { DeviceName: deviceName, Description, IotThingName } of Devices)
            await devices.register({
              deviceName,
              fleetName,
              ...(IotThingName === undefined ? {} : { thing: IotThingName }),
              ...(Description === undefined ? {} : { description: Description }),
            });
        },
      ),
      operation(
        'DeregisterDevices',
        'POST /SageMaker.DeregisterDevices',
        { body: z.object({ DeviceFleetName: DeviceName, DeviceNames: z.array(DeviceName).min(1).max(100) }), errors: SAGEMAKER },
        async ({ DeviceFleetName, DeviceNames }) => {
          for (const name of DeviceNames) await devices.deregister(name, DeviceFleetName);
        },
      ),
      operation(
        'CreateDeviceFleet',
        'POST /SageMaker.CreateDeviceFleet',
        {
          body: z.object({
            DeviceFleetName: DeviceName,
            RoleArn: z.string().min(20).max(2_048).optional(),
            Description: z.string().min(1).max(800).optional(),
            OutputConfig: z.object({
              S3OutputLocation: z
                .string()
                .regex(/^(https|s3):\/\/([^/]+)\/?(.*)$/)
                .max(1_024),
            }),
            EnableIotRoleAlias: z.boolean().optional(),
          }),
          errors: [...SAGEMAKER, 'ResourceInUse', 'ResourceLimitExceeded'],
        },
        async ({ DeviceFleetName, RoleArn = null, Description = '', OutputConfig, EnableIotRoleAlias = true }) => {
          await devices.createFleet({
            fleetName: DeviceFleetName,
            roleArn: RoleArn,
            description: Description,
            outputLocation: OutputConfig.S3OutputLocation,
          });
          if (RoleArn !== null && EnableIotRoleAlias && !hasAlias(DeviceFleetName))
            await credentials.createRoleAlias(aliasOf(DeviceFleetName), { roleArn: RoleArn });
        },
      ),
      operation(
        'DescribeDeviceFleet',
        'POST /SageMaker.DescribeDeviceFleet',
        { body: z.object({ DeviceFleetName: DeviceName }), errors: [...SAGEMAKER, 'ResourceNotFound'] },
        ({ DeviceFleetName }) => {
          const { fleetName, roleArn, description, outputLocation, createdAt } = devices.describeFleet(DeviceFleetName);
          return {
            DeviceFleetName: fleetName,
            DeviceFleetArn: arn('device-fleet', fleetName),
            OutputConfig: { S3OutputLocation: outputLocation },
            Description: description === '' ? undefined : description,
            CreationTime: seconds(createdAt),
            LastModifiedTime: seconds(createdAt),
            RoleArn: roleArn ?? undefined,
            IotRoleAlias: hasAlias(fleetName) ? arnOf(place, 'rolealias', aliasOf(fleetName)) : undefined,
          };
        },
      ),
      operation(
        'ListDeviceFleets',
        'POST /SageMaker.ListDeviceFleets',
        {
          body: z.object({ NextToken: z.string().optional(), MaxResults, NameContains: z.string().max(63).optional() }),
          errors: SAGEMAKER,
        },
        ({ NextToken, MaxResults, NameContains = '' }, { pages }) => {
          const found = devices.fleets().filter(({ fleetName }) => fleetName.includes(NameContains));
          const page = pages.cut(['ListDeviceFleets', NameContains], found, ({ fleetName }) => fleetName, {
            limit: MaxResults,
            token: NextToken,
          });
          return {
            DeviceFleetSummaries: page.items.map(({ fleetName, createdAt }) => ({
              DeviceFleetName: fleetName,
              DeviceFleetArn: arn('device-fleet', fleetName),
              CreationTime: seconds(createdAt),
              LastModifiedTime: seconds(createdAt),
            })),
            NextToken: page.token,
          };
        },
      ),
      operation(
        'DeleteDeviceFleet',
        'POST /SageMaker.DeleteDeviceFleet',
        { body: z.object({ DeviceFleetName: DeviceName }), errors: [...SAGEMAKER, 'ResourceInUse'] },
        ({ DeviceFleetName }) => devices.removeFleet(DeviceFleetName).then(() => undefined),
      ),
      operation(
        'GetDeviceFleetReport',
        'POST /SageMaker.GetDeviceFleetReport',
        { body: z.object({ DeviceFleetName: DeviceName }), errors: [...SAGEMAKER, 'ResourceNotFound'] },
        ({ DeviceFleetName }) => {
          const all = devices.list(DeviceFleetName);
          if (all.length === 0) throw new AwsFailure('ResourceNotFound', `no device fleet ${DeviceFleetName} has a device`);
          return {
            DeviceFleetArn: arn('device-fleet', DeviceFleetName),
            DeviceFleetName,
            ReportGenerated: seconds(now()),
            DeviceStats: { ConnectedDeviceCount: all.filter((one) => isConnected(one, now())).length, RegisteredDeviceCount: all.length },
            AgentVersions: countBy(all.flatMap(({ agentVersion }) => agentVersion ?? [])).map(([Version, AgentCount]) => ({
              Version,
              AgentCount,
            })),
            ModelStats: modelStats(all, now()),
          };
        },
      ),
    ],
  };
}

export function sageMakerEdgePlane(services: SageMakerServices): Plane {
  const { devices } = services;
  return {
    name: 'sagemaker-edge',
    scopes: ['sagemaker-edge', 'sagemaker'],
    byCertificate: false,
    contentType: 'application/json',
    throttledStatus: 400,
    allows: (caller, _, call) => isItself(services, caller, call),
    operations: [
      operation(
        'GetDeviceRegistration',
        'POST /GetDeviceRegistration',
        { body: OfDevice, errors: EDGE },
        ({ DeviceName, DeviceFleetName }) => {
          const { deviceRegistration, cacheTtlSeconds } = devices.registration(DeviceName, DeviceFleetName);
          return { DeviceRegistration: deviceRegistration, CacheTTL: String(cacheTtlSeconds) };
        },
      ),
      operation(
        'SendHeartbeat',
        'POST /SendHeartbeat',
        {
          body: OfDevice.extend({
            AgentVersion: z.string().regex(/^[a-zA-Z0-9 _.]{1,64}$/),
            AgentMetrics: z.array(z.unknown()).max(1_000).optional(),
            Models: z
              .array(
                z.object({
                  ModelName: z.string().min(1).max(255),
                  ModelVersion: z.string().min(1).max(64),
                  LatestSampleTime: Seconds.optional(),
                  LatestInference: Seconds.optional(),
                  ModelMetrics: z.array(z.unknown()).optional(),
                }),
              )
              .max(100)
              .optional(),
            DeploymentResult: z.object({}).optional(),
          }),
          errors: EDGE,
        },
        async ({ DeviceName: deviceName, DeviceFleetName: fleetName, AgentVersion: agentVersion, Models = [] }) => {
          await devices.heartbeat({
            deviceName,
            fleetName,
            agentVersion,
            models: Models.map(({ ModelName, ModelVersion, LatestSampleTime, LatestInference }) => ({
              name: ModelName,
              version: ModelVersion,
              latestSampleAt: LatestSampleTime === undefined ? null : LatestSampleTime * 1_000,
              latestInferenceAt: LatestInference === undefined ? null : LatestInference * 1_000,
            })),
          });
        },
      ),
      operation('GetDeployments', 'POST /GetDeployments', { body: OfDevice, errors: EDGE }, ({ DeviceName, DeviceFleetName }) => {
        devices.describe(DeviceName, DeviceFleetName);
        return { Deployments: [] }; // models come by AWS IoT Jobs here
      }),
    ],
  };
}

/** Under which the devices of a fleet get their keys: SageMaker makes the role alias with the fleet. */
const aliasOf = (fleet: string) => `SageMakerEdge-${fleet}`;

const MAX_MODELS = 1; // one model a turbine, its spare slot is the update's

const isConnected = ({ latestHeartbeat }: EdgeDevice, now: Millis) =>
  latestHeartbeat !== null && now - latestHeartbeat < HEARTBEAT_ALIVE_MS;

function countBy(values: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

function modelStats(all: readonly EdgeDevice[], now: Millis) {
  const loaded = all.flatMap((device) => device.models.map((model) => ({ device, model })));
  return countBy(loaded.map(({ model: { name, version } }) => `${name}\n${version}`)).map(([key]) => {
    const [ModelName, ModelVersion] = key.split('\n');
    const of = loaded.filter(({ model }) => model.name === ModelName && model.version === ModelVersion);
    const connected = of.filter(({ device }) => isConnected(device, now));
    const within = (at: Millis | null) => at !== null && now - at < ACTIVE_MS;
    return {
      ModelName,
      ModelVersion,
      OfflineDeviceCount: of.length - connected.length,
      ConnectedDeviceCount: connected.length,
      ActiveDeviceCount: connected.filter(({ model }) => within(model.latestInferenceAt)).length,
      SamplingDeviceCount: connected.filter(({ model }) => within(model.latestSampleAt)).length,
    };
  });
}
