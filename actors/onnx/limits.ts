/** How much of what an ONNX file may hold before anything else reads it. The starters use 1 % of most. */
export const LIMITS = {
  /** Of the file. */
  bytes: 128 * 1024 * 1024,
  nodes: 1_000,
  /** Entries of any other list of names or messages. */
  entries: 4_096,
  /** Of a name, bytes of UTF-8. */
  nameBytes: 256,
  /** Of a text that is skipped: PyTorch writes a stack trace beside a node. */
  textBytes: 65_536,
  /** Dimensions of a tensor. */
  rank: 6,
  /** Of a stored tensor, and of all of them. */
  elements: 16 * 1024 * 1024,
  /** Numbers in an attribute's list. */
  attributeNumbers: 4_096,
  /** Of one value while it runs, a window. */
  valueElements: 1024 * 1024,
  /** Multiplications a window. */
  macs: 1_000_000_000,
  irVersions: [3, 10],
  opsets: [7, 21],
} as const;
