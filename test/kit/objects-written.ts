/** Bytes of an object's version: always more than one write, never the same as of the version before. */
export const lengthOf = (version: number): number => 300_000 + (version % 7) * 100_001;
