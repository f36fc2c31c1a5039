import { suite } from 'uvu';
import { killIngest } from '../kit/kill-ingest.ts';

const kills = suite('ingestion under kill -9');

// 100 instants in `npm run test:long ingest-kill`
kills('5 kills lose and double nothing that was acknowledged', async () => {
  await killIngest(5, 1);
});

kills.run();
