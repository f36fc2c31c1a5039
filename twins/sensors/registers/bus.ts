/**
 * An I²C bus in memory: chips at addresses, each a file of registers with side effects, behind the interface of `i2c-bus`.
 *
 * Drivers cannot tell it from a real one: nobody at an address is a NACK, EREMOTEIO (121) as Linux reports it. A hook may break transfers.
 */
import type { I2cBus } from '../../../actors/contracts/i2c.ts';

/** A chip as the bus sees it. Registers are numbered 0..255. */
export interface RegisterChip {
  readonly address: number;
  /** One byte; may have side effects, as clearing a flag. */
  read(register: number): number;
  write(register: number, byte: number): void;
  /** The register after this one in a block: most chips count up, some do not. */
  next?(register: number): number;
}

export interface BusFaults {
  /** Called before each transfer; what it throws, the driver gets. */
  readonly before?: (address: number, register: number) => void;
  /** Changes a byte on its way from the chip. */
  readonly onRead?: (byte: number, address: number, register: number) => number;
}

/** A transfer that failed, as `i2c-bus` reports it. */
export class I2cError extends Error {
  readonly code: 'EREMOTEIO' | 'ETIMEDOUT';
  readonly errno: number;

  constructor(code: 'EREMOTEIO' | 'ETIMEDOUT', address: number) {
    super(`${code}: ${code === 'EREMOTEIO' ? 'nobody acknowledges' : 'the bus hangs'} at 0x${address.toString(16)}`);
    this.name = 'I2cError';
    this.code = code;
    this.errno = code === 'EREMOTEIO' ? 121 : 110;
  }
}

export function emulatedI2cBus(chips: readonly RegisterChip[], { before, onRead = (byte) => byte }: BusFaults = {}): I2cBus {
  const at = (address: number, register: number): RegisterChip => {
    before?.(address, register);
    const chip = chips.find((one) => one.address === address);
    if (!chip) throw new I2cError('EREMOTEIO', address);
    return chip;
  };
  const following = (chip: RegisterChip, register: number) => chip.next?.(register) ?? (register + 1) & 0xff;

  return {
    async readByte(address, command) {
      return onRead(at(address, command).read(command), address, command);
    },
    async writeByte(address, command, byte) {
      at(address, command).write(command, byte & 0xff);
    },
    async readI2cBlock(address, command, length, buffer) {
      const chip = at(address, command);
      for (let i = 0, register = command; i < length; i++, register = following(chip, register))
        buffer[i] = onRead(chip.read(register), address, register);
      return { bytesRead: length, buffer };
    },
    async writeI2cBlock(address, command, length, buffer) {
      const chip = at(address, command);
      for (let i = 0, register = command; i < length; i++, register = following(chip, register)) chip.write(register, buffer[i]);
      return { bytesWritten: length, buffer };
    },
    close: async () => {},
  };
}
