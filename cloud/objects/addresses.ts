/** Addresses at which no store is, and clouds keep their credentials: link-local, multicast, unspecified, in every notation. */
import { BlockList, isIP } from 'node:net';

/** @param address IPv4 or IPv6, also IPv4 mapped into IPv6; what is no address is nobody's, too */
export function isPlaceOfNobody(address: string): boolean {
  const bare = address.split('%')[0]; // without its zone
  const family = isIP(bare);
  if (family === 0) return true;
  const nobody = new BlockList();
  nobody.addSubnet('169.254.0.0', 16);
  nobody.addSubnet('0.0.0.0', 8);
  nobody.addSubnet('224.0.0.0', 3); // multicast, reserved, broadcast
  nobody.addSubnet('fe80::', 10, 'ipv6');
  nobody.addSubnet('ff00::', 8, 'ipv6');
  nobody.addAddress('::', 'ipv6');
  nobody.addAddress('fd00:ec2::254', 'ipv6'); // AWS's metadata
  return nobody.check(bare, family === 4 ? 'ipv4' : 'ipv6');
}
