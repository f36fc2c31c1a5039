/** A real I²C bus by the optional package `i2c-bus`: loaded when one is opened, and only then missed. */
import { EnvironmentLacking, reasonOf } from '../../actors/contracts/errors.ts';
import type { I2cBus } from '../../actors/contracts/i2c.ts';

const PACKAGE = 'i2c-bus';

/** @param number 1 for `/dev/i2c-1` @throws EnvironmentLacking when the package, the device or the right to use it is missing. */
export async function openI2cBus(number: number): Promise<I2cBus> {
  let library: { openPromisified(number: number): Promise<I2cBus> };
  try {
    const loaded = await import(PACKAGE);
    library = loaded.default ?? loaded;
  } catch (error) {
    throw new EnvironmentLacking('this machine has no I²C library', {
      cause: error,
      hint: `npm install ${PACKAGE} --ignore-scripts=false`,
    });
  }
  try {
    return await library.openPromisified(number);
  } catch (error) {
    throw new EnvironmentLacking(`/dev/i2c-${number} cannot be opened: ${reasonOf(error)}`, {
      cause: error,
      hint: 'is the bus switched on, and may this user read it? (group i2c)',
    });
  }
}
