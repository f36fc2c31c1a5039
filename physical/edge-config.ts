/** What `windfleet things create` writes for `edge`: who it is, where the cloud is, and the files of its certificate beside it. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { FileInvalid, reasonOf, VerificationRefused } from '../actors/contracts/errors.ts';
import { isThingName, type ThingName } from '../actors/contracts/ids.ts';

const Config = z.object({
  thing: z.string().refine(isThingName, 'is no name of a thing'),
  cloud: z.url({ protocol: /^https?$/ }),
  mqtt: z.url({ protocol: /^mqtts$/ }),
  certificate: z.string().min(1),
  key: z.string().min(1),
  ca: z.string().min(1),
});

export interface EdgeConfig {
  readonly thing: ThingName;
  /** The console's address. */
  readonly cloud: string;
  /** `mqtts://host:port` */
  readonly mqtt: string;
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
}

/** @throws FileInvalid naming every fault; VerificationRefused for a key that others can read, or that is not the certificate's */
export function readEdgeConfig(file: string): EdgeConfig {
  const parsed = Config.safeParse(parse(read(file), file));
  if (!parsed.success) throw new FileInvalid(`${file}:1:1: ${z.prettifyError(parsed.error)}`, { hint: MEND });
  const { thing, cloud, mqtt, certificate, key, ca } = parsed.data;
  const beside = (name: string) => join(dirname(file), name);
  const mode = statSync(beside(key), { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o077) !== 0)
    throw new VerificationRefused(`the key ${beside(key)} can be read by others (mode ${(mode & 0o777).toString(8)})`, {
      hint: `if nobody had it, chmod 600 ${beside(key)}; else revoke the thing and create it again`,
    });
  const tls = { cert: read(beside(certificate)), key: read(beside(key)), ca: read(beside(ca)) };
  try {
    new X509Certificate(tls.ca);
    if (!new X509Certificate(tls.cert).checkPrivateKey(createPrivateKey(tls.key)))
      throw new Error('the key is not that of the certificate');
  } catch (error) {
    throw new VerificationRefused(`the certificate of ${file} cannot be used: ${reasonOf(error)}`, { cause: error, hint: MEND });
  }
  return { thing, cloud, mqtt, tls };
}

const MEND = 'windfleet things create NAME --out FOLDER writes a new one';

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new FileInvalid(`${file}:1:1: it cannot be read: ${reasonOf(error)}`, { cause: error, hint: MEND });
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FileInvalid(`${file}:1:1: it is no JSON`, { cause: error, hint: MEND });
  }
}
