/**
 * An I²C bus, as the npm package `i2c-bus` promises it: the part that our drivers use.
 *
 * Every transfer may reject: with `code: 'EREMOTEIO'` when nobody acknowledges at the address, `'ETIMEDOUT'` when the bus hangs.
 */
export interface I2cBus {
  readByte(address: number, command: number): Promise<number>;
  writeByte(address: number, command: number, byte: number): Promise<void>;
  /** Writes the command, a register's number, and reads `length` bytes from there on. */
  readI2cBlock(
    address: number,
    command: number,
    length: number,
    buffer: Buffer,
  ): Promise<{ readonly bytesRead: number; readonly buffer: Buffer }>;
  writeI2cBlock(
    address: number,
    command: number,
    length: number,
    buffer: Buffer,
  ): Promise<{ readonly bytesWritten: number; readonly buffer: Buffer }>;
  close(): Promise<void>;
}
