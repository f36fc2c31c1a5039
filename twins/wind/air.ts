/**
 * Moist air: ρ = p_d / (287.05 T) + p_v / (461.5 T), with the vapour's pressure p_v = RH · p_sat(T) after Magnus.
 *
 * Source: ideal gases; p_sat: Magnus formula with the constants of WMO-No. 8.
 */
export const STANDARD_DENSITY = 1.225; // kg/m³, ISA sea level
export const STANDARD_PRESSURE_PA = 101_325;

const KELVIN = 273.15;

/** kg/m³. @param humidity relative, 0..1 */
export function airDensity(temperatureC: number, pressurePa = STANDARD_PRESSURE_PA, humidity = 0): number {
  const kelvin = temperatureC + KELVIN;
  const vapourPa = humidity * saturationPressurePa(temperatureC);
  return (pressurePa - vapourPa) / (287.05 * kelvin) + vapourPa / (461.5 * kelvin);
}

/** Of water vapour over water, Pa; −45..60 °C. */
export const saturationPressurePa = (temperatureC: number): number => 611.2 * Math.exp((17.62 * temperatureC) / (243.12 + temperatureC));

/** ISA pressure at an altitude up to 11 km, Pa. */
export const isaPressurePa = (altitudeM: number): number => STANDARD_PRESSURE_PA * (1 - 2.25577e-5 * altitudeM) ** 5.25588;
