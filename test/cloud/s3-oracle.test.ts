/** The same programs against Debian's radosgw: what they find of ours is what they find of an S3 server that we did not write. */
import { suite } from 'uvu';
import { hasRadosGateway, startRadosGateway } from '../kit/radosgw.ts';
import { awsCliOf, boto3Of } from '../kit/s3-clients.ts';

const open = async () => ({ ...(await startRadosGateway()), mostMemory: () => null });

const boto3 = suite('boto3 and radosgw');
const cli = suite('aws CLI and radosgw');
if (hasRadosGateway()) {
  boto3Of(boto3, 'radosgw', open);
  awsCliOf(cli, 'radosgw', open);
} else boto3.skip('needs radosgw', () => {});
boto3.run();
cli.run();
