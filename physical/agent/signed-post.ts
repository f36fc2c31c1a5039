/** A POST of JSON that is signed as AWS's services want it (Signature Version 4). */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Millis } from '../../actors/contracts/units.ts';
import type { TemporaryKeys } from './iot-credentials.ts';

export interface Signer {
  readonly region: string;
  readonly credentials: () => Promise<TemporaryKeys>;
  /** Epoch milliseconds. */
  readonly now: () => Millis;
}

/** @param service of the signature's scope. @returns the headers to send. @throws what `credentials` throws */
export async function signPost(
  url: URL,
  body: string,
  service: string,
  { region, credentials, now }: Signer,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ service, region, credentials: await credentials(), sha256: Sha256 });
  const signed = await signer.sign(
    {
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: { host: url.host, 'content-type': 'application/json' },
      body,
    },
    { signingDate: new Date(now()) },
  );
  const { host: _, ...headers } = signed.headers; // whoever sends it says that
  return headers;
}
