/** The doors of a cloud beside the broker's: the console's port, and HTTPS for things. */
import { type Clock, isoDate } from '../actors/contracts/clock.ts';
import type { FaultInjector } from '../actors/contracts/faults.ts';
import type { Log } from '../actors/contracts/log.ts';
import type { FarmSite } from '../actors/contracts/site.ts';
import { turbineChart } from '../actors/turbine/chart.ts';
import { openAws } from '../cloud/aws/open.ts';
import { withS3 } from '../cloud/aws/with-s3.ts';
import { openConsole } from '../cloud/console/server.ts';
import type { ConsoleServices } from '../cloud/console/services.ts';
import { publicPem } from '../cloud/models/keys.ts';
import { openS3Door } from '../cloud/objects/s3-protocol/open.ts';
import { endpointsAt } from '../cloud/things/endpoints.ts';
import { openThingsHttps } from '../cloud/things/https.ts';
import type { Endpoints } from '../cloud/things/ports.ts';
import { openUsual } from './usual-port.ts';
import type { Cloud } from './services.ts';

const HTTPS_PORT = 8443;

export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  /** Absent: the usual one or, when that is taken, any. */
  readonly httpsPort: number | undefined;
  readonly log: Log;
  readonly wall: Clock;
  /** Of the farm that runs beside; null without one. */
  readonly faults: FaultInjector | null;
  readonly site: (() => Promise<FarmSite>) | null;
}

export interface Doors {
  readonly url: string;
  /** `host:port` */
  readonly https: string;
  readonly endpoints: Endpoints;
  close(): Promise<void>;
}

/** @throws EnvironmentLacking when a port is taken; nothing is open then. */
export async function openDoors(cloud: Cloud, { host, port, httpsPort, log, wall, faults, site }: DoorOptions): Promise<Doors> {
  const { identities, credentials, authority } = cloud.things;
  const server = await authority.server([host]);
  const addresses = { mqtt: tlsAddress(cloud) ?? cloudAddress(cloud) ?? '', https: '', http: '' };
  const endpoints = endpointsAt(() => addresses);
  const bus = cloud.broker.connect('windfleet-http', { nameless: true });
  const aws = openAws(
    { things: cloud.things, jobs: cloud.jobs, device: cloud.device, broker: cloud.broker, bus, endpoints, place: cloud.things.place },
    { clock: cloud.clock, wall, log },
  );
  const https = await openUsual(httpsPort, HTTPS_PORT, log, (wanted) =>
    openThingsHttps({ host, port: wanted, server, identities, credentials, log, mount: aws.answer }),
  );
  addresses.https = `${https.address.host}:${https.address.port}`;
  const console = await openConsole({
    host,
    port,
    services: consoleServices(cloud, { faults, site, https: addresses.https }),
    aws: cloud.held ? withS3(aws, openS3Door(cloud.held, { things: cloud.things, wall, log })) : aws,
    log,
    wall,
  }).catch(async (error: unknown) => {
    await https.close();
    throw error;
  });
  addresses.http = new URL(console.url).host;
  cloud.presigned.serveAt(console.url);
  return {
    url: console.url,
    https: addresses.https,
    endpoints,
    async close() {
      await https.close();
      await console.close();
      await bus.close();
    },
  };
}

export const addressLines = (cloud: Cloud, { url, https }: Doors): readonly string[] => [
  `  console  ${url}`,
  ...(cloudAddress(cloud) ? [`  MQTT     ${cloudAddress(cloud)}`] : []),
  ...(tlsAddress(cloud) ? [`  MQTTS    ${tlsAddress(cloud)}`] : []),
  `  HTTPS    ${https}`,
];

/** `host:port` of MQTT without TLS; null for a broker without a port. */
export const cloudAddress = ({ broker }: Cloud): string | null => (broker.address ? `${broker.address.host}:${broker.address.port}` : null);

/** The same by mTLS. */
export const tlsAddress = ({ broker }: Cloud): string | null =>
  broker.tlsAddress ? `${broker.tlsAddress.host}:${broker.tlsAddress.port}` : null;

export const consoleServices = (
  cloud: Cloud,
  { faults, site, https }: Pick<DoorOptions, 'faults' | 'site'> & { readonly https: string | null },
): ConsoleServices => ({
  view: cloud.view,
  faults,
  deployments: cloud.deployments,
  jobs: cloud.jobs,
  catalogue: cloud.catalogue,
  dated: () => isoDate(cloud.clock),
  index: cloud.index,
  letters: cloud.ingest,
  ingested: cloud.ingest,
  now: () => cloud.clock.epoch + cloud.clock.now(),
  objects: cloud.objects,
  chart: turbineChart(),
  command: cloud.command,
  inspect: cloud.inspect,
  trustedKeys: cloud.trustedKeys.map(publicPem),
  site,
  things: cloud.things,
  httpsEndpoint: https,
  mqttEndpoint: cloudAddress(cloud),
  mqttsEndpoint: tlsAddress(cloud),
});
