import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BackingLost, EnvironmentLacking } from '../../actors/contracts/errors.ts';
import { ads1115Config, ads1115Volts, openAds1115 } from '../../physical/drivers/ads1115.ts';
import {
  fineTemperature,
  gasResistanceHigh,
  gasResistanceLow,
  humidityOf,
  openBme680,
  pressureOf,
  readCalibration,
  temperatureOf,
} from '../../physical/drivers/bme680.ts';
import { openI2cBus } from '../../physical/drivers/i2c-bus.ts';
import { decodeMpu6050, openMpu6050 } from '../../physical/drivers/mpu6050.ts';
import { ads1115Chip } from '../../twins/sensors/registers/ads1115.ts';
import { bme680Chip, CALIBRATION_HIGH, CALIBRATION_LOW, type Compensation } from '../../twins/sensors/registers/bme680.ts';
import { emulatedI2cBus, I2cError, type RegisterChip } from '../../twins/sensors/registers/bus.ts';
import { mpu6050Chip } from '../../twins/sensors/registers/mpu6050.ts';

const registers = suite('registers');
const near = (got: number, wanted: number, relative: number) => assert.ok(Math.abs(got / wanted - 1) <= relative, `${got}, not ${wanted}`);

/** A clock that only waiting moves. */
function slowBus(chips: (now: () => number) => readonly RegisterChip[]) {
  let now = 0;
  const wait = async (ms: number) => {
    now += ms;
  };
  return { bus: emulatedI2cBus(chips(() => now)), wait };
}

// Register image and codes of pimoroni/bme680-python, tests/conftest.py; readings of Bosch's BME68x_SensorAPI, compiled with doubles.
const calibration = readCalibration(Buffer.from(CALIBRATION_LOW), Buffer.from(CALIBRATION_HIGH), 0x00);
const compensation: Compensation = {
  temperatureC: (adc) => temperatureOf(fineTemperature(calibration, adc)),
  pressurePa: (adc, t) => pressureOf(calibration, fineTemperature(calibration, t), adc),
  humidityPercent: (adc, t) => humidityOf(calibration, temperatureOf(fineTemperature(calibration, t)), adc),
  gasOhm: (adc, range) => gasResistanceLow(calibration, adc, range),
};

registers('the BME680’s worked example comes out as Bosch’s own code has it', () => {
  const fine = fineTemperature(calibration, 501_240);
  near(temperatureOf(fine), 26.693121, 1e-5);
  near(pressureOf(calibration, fine, 353_485), 98_716.93, 1e-5);
  near(humidityOf(calibration, temperatureOf(fine), 19_019), 42.409721, 1e-5);
  near(gasResistanceLow(calibration, 0, 0), 12_946_861, 1e-5);
  near(gasResistanceHigh(0, 0), 102_400_000, 1e-5);
});

registers('the MPU-6050’s scales are those of its data sheet and of the Linux kernel', () => {
  const bytes = Buffer.alloc(14);
  bytes.writeInt16BE(16_384, 0);
  bytes.writeInt16BE(-1, 2);
  bytes.writeInt16BE(-3_920, 6);
  const { accelerationMps2, temperatureC } = decodeMpu6050(bytes, 0, 0);
  assert.is(accelerationMps2[0], 9.80665);
  near(accelerationMps2[1], -9.80665 / 16_384, 1e-12);
  assert.ok(Math.abs(temperatureC - 25.0006) < 1e-4);
  bytes.writeInt16BE(0, 6);
  assert.is(decodeMpu6050(bytes, 0, 0).temperatureC, 36.53);
  // drivers/iio/imu/inv_mpu6050: 598, 1196, 2392, 4785 µm/s² and 133090, 266181, 532362, 1064724 nrad/s a step
  for (const [range, [accel, gyro]] of [
    [598, 133_090],
    [1_196, 266_181],
    [2_392, 532_362],
    [4_785, 1_064_724],
  ].entries()) {
    bytes.writeInt16BE(1, 0);
    bytes.writeInt16BE(1, 8);
    const reading = decodeMpu6050(bytes, range as 0, range as 0);
    near(reading.accelerationMps2[0] * 1e6, accel, 1e-3);
    near((reading.rateDegPerS[0] * Math.PI * 1e9) / 180, gyro, 2e-3);
  }
});

registers('the ADS1115’s codes are those of its data sheet', () => {
  assert.is(ads1115Config(0, 1), 0xc383);
  assert.is(ads1115Volts(0x7fff, 1), 4.095875);
  assert.is(ads1115Volts(0x8000, 1), -4.096);
  assert.is(ads1115Volts(19_712, 5), 0.154);
});

registers('what an MPU-6050 feels comes back from its registers, but for its resolution', async () => {
  const motion = { accelerationG: [0.25, -1.5, 1] as const, rateDegPerS: [90, -12.5, 0.1] as const, temperatureC: 31.2 };
  const { bus } = slowBus(() => [mpu6050Chip(() => motion)]);
  for (const [range, scale] of [1, 2, 4, 8].entries()) {
    const chip = await openMpu6050(bus, { accelRange: range as 0, gyroRange: range as 0 });
    const reading = await chip.read();
    for (let i = 0; i < 3; i++) {
      assert.ok(Math.abs(reading.accelerationMps2[i] / 9.80665 - motion.accelerationG[i]) <= scale / 32_768 + 1e-12);
      assert.ok(Math.abs(reading.rateDegPerS[i] - motion.rateDegPerS[i]) <= scale / 262 + 1e-9);
    }
    assert.ok(Math.abs(reading.temperatureC - 31.2) <= 1 / 680 + 1e-9);
  }
});

registers('what a BME680 feels comes back from its registers over its whole range', async () => {
  let air = { temperatureC: 0, pressurePa: 0, humidityPercent: 0, gasOhm: 0 };
  const { bus, wait } = slowBus((now) => [bme680Chip(() => air, compensation, now)]);
  const chip = await openBme680(bus, wait);
  for (const temperatureC of [-20, 0, 21.37, 60]) {
    for (const pressurePa of [80_000, 101_325, 110_000]) {
      for (const humidityPercent of [2, 42.4, 98]) {
        for (const gasOhm of [20_000, 110_000, 300_000]) {
          air = { temperatureC, pressurePa, humidityPercent, gasOhm };
          const reading = await chip.read();
          assert.ok(Math.abs(reading.temperatureC - temperatureC) < 1e-3, `${reading.temperatureC} of ${temperatureC}`);
          assert.ok(Math.abs(reading.pressurePa - pressurePa) < 0.5, `${reading.pressurePa} of ${pressurePa}`);
          assert.ok(Math.abs(reading.humidityPercent - humidityPercent) < 0.02, `${reading.humidityPercent} of ${humidityPercent}`);
          near(reading.gasOhm ?? 0, gasOhm, 0.002);
        }
      }
    }
  }
});

registers('what an ADS1115 is given comes back, and a conversion takes its time', async () => {
  const { bus, wait } = slowBus((now) => [ads1115Chip((input) => [0.154, 1.9, 3.3, 5][input], now)]);
  const chip = openAds1115(bus, wait);
  assert.ok(Math.abs((await chip.read(0, 5)) - 0.154) <= 7.8125e-6 / 2 + 1e-12);
  assert.ok(Math.abs((await chip.read(1, 2)) - 1.9) <= 62.5e-6 / 2 + 1e-12);
  assert.is(await chip.read(3, 1), 4.095875); // out of range: full scale
  const hasty = openAds1115(bus, async () => {});
  await assertRejects(hasty.read(0, 5), (error) => error instanceof BackingLost && /does not finish/.test(error.message));
});

registers('a chip that is asleep, absent, another or disturbed does not pass for a good one', async () => {
  let g = 0.5;
  const chip = mpu6050Chip(() => ({ accelerationG: [g, 0, 1], rateDegPerS: [0, 0, 0], temperatureC: 25 }));
  const bus = emulatedI2cBus([chip]);
  const before = Buffer.alloc(14);
  await bus.readI2cBlock(0x68, 0x3b, 14, before);
  assert.equal(before, Buffer.alloc(14)); // asleep since power-on
  const driver = await openMpu6050(bus);
  assert.ok((await driver.read()).accelerationMps2[0] > 4.9);
  await bus.writeByte(0x68, 0x6b, 0x80); // reset: asleep again, its last reading stands
  g = 0.9;
  assert.ok((await driver.read()).accelerationMps2[0] < 5);

  await assertRejects(
    openMpu6050(emulatedI2cBus([])),
    (error) => error instanceof I2cError && error.code === 'EREMOTEIO' && error.errno === 121,
  );
  const other = bme680Chip(
    () => ({ temperatureC: 20, pressurePa: 1e5, humidityPercent: 40, gasOhm: 1e5 }),
    compensation,
    () => 0,
    0x68,
  );
  await assertRejects(
    openMpu6050(emulatedI2cBus([other])),
    (error) => error instanceof BackingLost && /0x68.*calls itself 0x0/.test(error.message),
  );
  const flipped = emulatedI2cBus([mpu6050Chip(() => ({ accelerationG: [0, 0, 1], rateDegPerS: [0, 0, 0], temperatureC: 25 }))], {
    onRead: (byte, _, register) => (register === 0x75 ? byte ^ 0x10 : byte),
  });
  await assertRejects(openMpu6050(flipped), (error) => error instanceof BackingLost && /0x78/.test(error.message));
  const hanging = emulatedI2cBus([chip], {
    before(address) {
      throw new I2cError('ETIMEDOUT', address);
    },
  });
  await assertRejects(openMpu6050(hanging), (error) => error instanceof I2cError && error.errno === 110);
  await assertRejects(openI2cBus(250), (error) => error instanceof EnvironmentLacking);
});

async function assertRejects(work: Promise<unknown>, matches: (error: unknown) => boolean): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.ok(matches(error), String(error));
    return;
  }
  assert.unreachable('it went well');
}

registers.run();
