/** The registers of an MPU-6050: asleep after power-on, scales by its configuration, saturating 16-bit readings. Source: RM-MPU-6000A. */
import type { RegisterChip } from './bus.ts';

export interface Motion {
  readonly accelerationG: readonly [x: number, y: number, z: number];
  readonly rateDegPerS: readonly [x: number, y: number, z: number];
  readonly temperatureC: number;
}

const GYRO_LSB = [131, 65.5, 32.8, 16.4]; // a °/s, by the range's bits
const ASLEEP = 0x40; // of register 0x6B, as it is after power-on
const DEVICE_RESET = 0x80;
const FIRST_DATA = 0x3b;
const LAST_DATA = 0x48;

/** @param motion what the chip feels at this moment */
export function mpu6050Chip(motion: () => Motion, address = 0x68): RegisterChip {
  const registers = new Uint8Array(256);
  const data = new DataView(new ArrayBuffer(LAST_DATA - FIRST_DATA + 1));
  const reset = () => {
    registers.fill(0);
    registers[0x6b] = ASLEEP;
    registers[0x75] = 0x68;
  };
  reset();

  /** A burst reads one moment: its first byte latches all of them. */
  const latch = () => {
    const { accelerationG, rateDegPerS, temperatureC } = motion();
    const accelLsb = 16_384 / 2 ** ((registers[0x1c] >> 3) & 3);
    const gyroLsb = GYRO_LSB[(registers[0x1b] >> 3) & 3];
    for (let i = 0; i < 3; i++) {
      data.setInt16(2 * i, saturated(accelerationG[i] * accelLsb));
      data.setInt16(8 + 2 * i, saturated(rateDegPerS[i] * gyroLsb));
    }
    data.setInt16(6, saturated((temperatureC - 36.53) * 340));
  };

  return {
    address,
    read(register) {
      if (register < FIRST_DATA || register > LAST_DATA) return registers[register];
      if (register === FIRST_DATA && (registers[0x6b] & ASLEEP) === 0) latch(); // asleep it keeps what it had
      return data.getUint8(register - FIRST_DATA);
    },
    write(register, byte) {
      if (register === 0x6b && byte & DEVICE_RESET) reset();
      else if (register !== 0x75) registers[register] = byte;
    },
  };
}

const saturated = (value: number) => Math.max(-32_768, Math.min(32_767, Math.round(value)));
