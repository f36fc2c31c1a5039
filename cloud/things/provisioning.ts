/**
 * Brings a thing in, and takes it out again: the registry's entry, a certificate for the key that it made itself, the policy that
 * holds it to its own topics. The private key stays where it was made.
 */
import { ThingRefused } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import { DEVICE_POLICY } from './policies.ts';
import type { Certificate, Things } from './ports.ts';

/** What a thing's keys are lent under, unless it asks for another. */
export const DEVICE_ROLE_ALIAS = 'windfleet-device';

export interface Provisioned {
  readonly thing: ThingName;
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly caPem: string;
}

type Parts = Pick<Things, 'registry' | 'certificates' | 'policies'>;

/** A thing that is there already gets one more certificate. @throws ThingRefused */
export async function provisionThing({ registry, certificates, policies }: Parts, thing: ThingName, csrPem: string): Promise<Provisioned> {
  if (!registry.has(thing)) await registry.create({ name: thing });
  const certificate = await certificates.sign(csrPem, { active: true });
  await registry.attachPrincipal(thing, certificate.arn);
  await policies.attach(DEVICE_POLICY, certificate.arn);
  return { thing, certificateId: certificate.id, certificatePem: certificate.pem, caPem: await certificates.caPem() };
}

/** All certificates of a thing. Their live connections end, and none comes back. @returns those that were active. @throws ThingRefused ResourceNotFound */
export async function revokeThing({ registry, certificates }: Parts, thing: ThingName): Promise<readonly Certificate[]> {
  const revoked: Certificate[] = [];
  for (const certificate of certificatesOf({ registry, certificates }, thing))
    if (certificate.status !== 'REVOKED') revoked.push(await certificates.setStatus(certificate.id, 'REVOKED'));
  return revoked;
}

export function certificatesOf(
  { registry, certificates }: Pick<Parts, 'registry' | 'certificates'>,
  thing: ThingName,
): readonly Certificate[] {
  return registry.principalsOf(thing).flatMap((arn) => {
    const [, id] = /:cert\/([0-9a-f]{64})$/.exec(arn) ?? [];
    if (id === undefined) return [];
    try {
      return [certificates.describe(id)];
    } catch (error) {
      if (error instanceof ThingRefused && error.reason === 'ResourceNotFound') return []; // it was attached by its ARN alone
      throw error;
    }
  });
}
