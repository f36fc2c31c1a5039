/** What DescribeEndpoint answers: this cloud's own addresses. */
import { invalid, shown } from './names.ts';
import type { Endpoints } from './ports.ts';

/** `host:port` each. */
export interface Addresses {
  /** MQTT by TLS; without it where there is no other. */
  readonly mqtt: string;
  /** HTTPS with certificates of things. */
  readonly https: string;
  /** The AWS-shaped API. */
  readonly http: string;
}

/** @param addresses asked when a client asks: ports are known only once they are open */
export function endpointsAt(addresses: () => Addresses): Endpoints {
  const of: ReadonlyMap<string, keyof Addresses> = new Map([
    ['iot:Data-ATS', 'mqtt'],
    ['iot:Data', 'mqtt'],
    ['iot:Jobs', 'http'],
    ['iot:CredentialProvider', 'https'],
  ]);
  return {
    of(type) {
      const found = of.get(type);
      if (found === undefined) throw invalid(`${shown(type)} is no type of endpoint`, `one of ${[...of.keys()].join(', ')}`);
      return addresses()[found];
    },
  };
}
