import type { UpdateCode } from '../contracts/update-codes.ts';

/** What is wrong with an ONNX file, in words; a device makes it a `ModelRejected`, the command line a `FileInvalid` that names the file. */
export class OnnxFault extends Error {
  /** As a device reports it. */
  readonly reason: Extract<UpdateCode, `network.${string}`>;

  constructor(message: string, reason: OnnxFault['reason'] = 'network.malformed') {
    super(message);
    this.name = 'OnnxFault';
    this.reason = reason;
  }
}

/** A name out of a foreign file, fit to stand in a message: control characters and what runs long are cut. */
export const shown = (text: string): string => {
  const plain = text.replace(/\p{C}/gu, '?');
  return plain.length > 60 ? `${plain.slice(0, 57)}...` : plain;
};
