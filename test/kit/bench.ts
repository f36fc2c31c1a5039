/** Time a call takes: the median of several rounds, so that a busy moment of a shared machine does not count. */
export function nanosecondsEach(work: (times: number) => void, times: number, rounds = 7): number {
  work(Math.ceil(times / 10));
  const all = Array.from({ length: rounds }, () => {
    const began = process.hrtime.bigint();
    work(times);
    return Number(process.hrtime.bigint() - began) / times;
  });
  return all.sort((a, b) => a - b)[rounds >> 1];
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The plain version in the same run, and how many times as fast the real one is. */
  readonly baseline?: { readonly name: string; readonly value: number; readonly ratio: number };
}
