/** How much of what an ONNX file may hold before anything else reads it. The starters use 1 % of most. */
export const LIMITS = {
  /** Of the file. */
  bytes: 128 * 1024 * 1024,
  nodes: 1_000,
  /** Stored tensors, and named values. */
  entries: 4_096,
  /** Inputs, outputs or attributes of a node, and sides of a shape. */
  few: 64,
  /** Of a name, bytes of UTF-8. */
  nameBytes: 256,
  /** Of a text that is skipped: PyTorch writes a stack trace beside a node. */
  textBytes: 65_536,
  /** Dimensions of a tensor. */
  rank: 6,
  /** Of a stored tensor, and of all of them. */
  elements: 16 * 1024 * 1024,
  /** Of all values that are made while it runs, a window. */
  valueElements: 2 * 1024 * 1024,
  /** Multiplications a window. */
  macs: 1_000_000_000,
  irVersions: [3, 10],
  opsets: [7, 21],
} as const;
