/** Debian's boto3 against the cloud in a process of its own. */
import { suite } from 'uvu';
import { boto3Of } from '../kit/s3-clients.ts';
import { ours } from '../kit/s3-own-cloud.ts';

const clients = suite('boto3 and our S3');
boto3Of(clients, 'ours', ours);
clients.run();
