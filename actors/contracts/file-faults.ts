/** What is wrong with a file, found on the way through it: the first faults in words, the rest as a count. */
import { FileInvalid } from './errors.ts';

export interface FileFaults {
  readonly count: number;
  /** @param text begins with `file:line` */
  add(text: string): void;
  /** @throws FileInvalid naming them, when there are any. @param hint what holds for such a file */
  refuse(hint: string): void;
}

const SHOWN = 20;

export function createFileFaults(): FileFaults {
  const shown: string[] = [];
  let count = 0;
  return {
    get count() {
      return count;
    },
    add(text) {
      if (++count <= SHOWN) shown.push(text);
    },
    refuse(hint) {
      if (count === 0) return;
      throw new FileInvalid(shown.join('\n') + (count > SHOWN ? `\n… and ${count - SHOWN} more` : ''), { hint });
    },
  };
}
