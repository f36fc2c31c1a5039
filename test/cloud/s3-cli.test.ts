/** Debian's aws CLI against the cloud in a process of its own. */
import { suite } from 'uvu';
import { awsCliOf } from '../kit/s3-clients.ts';
import { ours } from '../kit/s3-own-cloud.ts';

const clients = suite('aws CLI and our S3');
awsCliOf(clients, 'ours', ours);
clients.run();
