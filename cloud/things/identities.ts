/** Who stands behind a certificate: one that this cloud gave and did not take back, whatever names are written in it. */
import type { Certificates, Identities, Registry } from './ports.ts';
import { fingerprintOf } from './certificates.ts';

export function openIdentities(
  certificates: Pick<Certificates, 'isActive' | 'describe'>,
  registry: Pick<Registry, 'thingsOf'>,
): Identities {
  return {
    ofCertificate(der) {
      const id = fingerprintOf(der); // of every byte of it: another one of the same names is another one
      return certificates.isActive(id) ? { kind: 'certificate', id, arn: certificates.describe(id).arn } : null;
    },
    thingOf(principal, clientId) {
      if (principal.kind === 'owner') return null;
      if (principal.kind === 'role' && (clientId === undefined || clientId === principal.thing)) return principal.thing;
      const things = registry.thingsOf(principal.kind === 'role' ? principal.certificate : principal.arn);
      if (clientId !== undefined && things.includes(clientId)) return clientId;
      return things.length === 1 ? things[0] : null;
    },
  };
}
