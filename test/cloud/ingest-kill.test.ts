import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { killIngest } from '../kit/kill-ingest.ts';

const kills = suite('ingestion under kill -9');

// 100 instants in `npm run test:long ingest-kill`
kills('5 kills lose and double nothing that was answered: by MQTT, by HTTP, by S3', async () => {
  const { mqtt, http, files } = await killIngest(5, 1);
  assert.ok(mqtt > 0 && http > 0 && files > 0, JSON.stringify({ mqtt, http, files }));
});

kills.run();
