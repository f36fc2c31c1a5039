/** The same programs against Debian's radosgw: what they find of ours is what they find of an S3 server that we did not write. */
import { suite } from 'uvu';
import { hasRadosGateway, startRadosGateway } from '../kit/radosgw.ts';
import { clientsOf } from '../kit/s3-clients.ts';

const oracle = suite('s3 clients of radosgw');
if (hasRadosGateway()) clientsOf(oracle, 'radosgw', async () => ({ ...(await startRadosGateway()), mostMemory: () => null }));
else oracle.skip('needs radosgw', () => {});
oracle.run();
