/** A shard in this thread: all rows of a body, a tick whenever the fleet takes one. */
import type { Backing } from '../contracts/backing.ts';
import type { ShardLink } from '../contracts/shard.ts';
import { openShard, type ShardOptions } from './shard.ts';

export function localShard(backing: Backing, options: ShardOptions): ShardLink {
  const shard = openShard(backing, options);
  return {
    rows: backing.things.map((_, row) => row),
    order: (at, order) => shard.order(at, order),
    allow: () => {}, // it runs when it is asked
    take: (now, into) => shard.tick(now, into),
    close: () => backing.close(),
  };
}
