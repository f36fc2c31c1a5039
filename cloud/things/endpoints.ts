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

/**
 * AWS's data endpoint is a bare name: a client adds the port that it knows, 8883, and holds the certificate to that name. The others
 * keep their port, which is none that a client would guess.
 * @param addresses asked when a client asks: ports are known only once they are open
 */
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
      const address = addresses()[found];
      return found === 'mqtt' ? hostOf(address) : address;
    },
  };
}

/** Of `host:port`, without the brackets of an IPv6 address. */
export const hostOf = (address: string): string => address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
