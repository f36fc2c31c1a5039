/** Which of a machine's channels the page shows as its rotor, its wind and what it makes. */
import type { TurbineView } from '../../../actors/contracts/fleet-view.ts';

export interface Reading {
  readonly label: string;
  readonly channel: string;
  readonly unit: string;
  readonly digits: number;
}

export interface Readings {
  readonly rotor: Reading;
  readonly wind: Reading;
  readonly output: Reading;
  /** Turns a second of one unit of the rotor's channel. */
  readonly turnsPerSecond: number;
}

const desk: Readings = {
  rotor: { label: 'rotor', channel: 'rps', unit: '1/s', digits: 2 },
  wind: { label: 'wind', channel: 'wind_speed_rps', unit: '1/s', digits: 2 },
  output: { label: 'voltage', channel: 'voltage', unit: 'counts', digits: 0 },
  turnsPerSecond: 1,
};

const utility: Readings = {
  rotor: { label: 'rotor', channel: 'rotorRpm', unit: '1/min', digits: 1 },
  wind: { label: 'wind', channel: 'windSpeedMps', unit: 'm/s', digits: 1 },
  output: { label: 'power', channel: 'powerKw', unit: 'kW', digits: 0 },
  turnsPerSecond: 1 / 60,
};

export const readingsOf = ({ channels }: Pick<TurbineView, 'channels'>): Readings => (utility.rotor.channel in channels ? utility : desk);

export const turnsPerSecondOf = (turbine: Pick<TurbineView, 'channels'>): number => {
  const { rotor, turnsPerSecond } = readingsOf(turbine);
  return (turbine.channels[rotor.channel] ?? 0) * turnsPerSecond;
};
