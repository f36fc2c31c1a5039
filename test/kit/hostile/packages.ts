/**
 * Packages that no device should install, every trick on archives, signatures, manifests, golden samples and networks
 * that we know of, each with the code that it must be refused with. Most are signed by the trusted key: the signer may be fooled, too.
 *
 * Sources: CVE-2026-23745, -24842 and -26960 (node-tar: absolute and relative links, hard links), CVE-2007-4559 (tarfile), the zip-slip and
 * bomb families, ustar/pax/GNU header tricks, CVE-2022-25882, CVE-2024-27318 and CVE-2026-27489 (ONNX external data), Uptane's attacks
 * (mix-and-match, rollback, freeze, wrong device, arbitrary package).
 */
import type { SigningKey } from '../../../cloud/models/keys.ts';
import { compression, headers, kinds, links, paths } from './archives.ts';
import { hostileBench, type HostilePackage } from './bench.ts';
import { goldens, manifests, networks } from './contents.ts';
import { fileSets, signatures } from './signatures.ts';

/** @param key that devices trust. The packages call themselves `light@2.0.0`, sequence 10. */
export function hostilePackages(key: SigningKey): readonly HostilePackage[] {
  const all: HostilePackage[] = [];
  const bench = hostileBench(key, (hostile) => all.push(hostile));
  for (const family of [links, kinds, paths, headers, compression, fileSets, signatures, manifests, goldens, networks]) family(bench);
  return all;
}
