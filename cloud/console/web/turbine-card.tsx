/** One turbine of the farm: its rotor turns as fast as the real one. */
import { useEffect, useRef } from 'preact/hooks';
import { lampOf, type TurbineView } from '../../../actors/contracts/fleet-view.ts';
import { Plot } from './plot.tsx';
import { readingsOf, turnsPerSecondOf } from './readings.ts';
import { chosen, probation } from './store.ts';

export function TurbineCard({ turbine }: { readonly turbine: TurbineView }) {
  const { thing, state, channels, model, verdict, alarm, update, backing } = turbine;
  const { rotor, wind, output } = readingsOf(turbine);
  const lamp = lampOf(turbine);
  const isChosen = chosen.value === thing;
  return (
    <button
      type="button"
      class={`card ${isChosen ? 'chosen' : ''} ${lamp.light === 'dark' ? '' : 'alarmed'}`}
      aria-pressed={isChosen}
      data-testid="turbine-card"
      data-thing={thing}
      data-rps={turnsPerSecondOf(turbine)}
      onClick={() => {
        chosen.value = thing;
      }}
    >
      <span class="card-head">
        <strong>{thing}</strong>
        <span class={`badge ${state.split('.')[0]} ${state.split('.')[1] ?? ''}`} data-testid="turbine-state">
          {state.replace('.', ' · ')}
        </span>
      </span>
      <span class="card-body">
        <Rotor rps={turnsPerSecondOf(turbine)} />
        <span class="facts">
          {[rotor, wind, output].map(({ label, channel, unit, digits }) => (
            <Fact key={channel} label={label} value={channels[channel]} unit={unit} digits={digits} />
          ))}
          <Fact label="error" value={verdict?.score} unit="× limit" />
        </span>
      </span>
      <Plot thing={thing} column="score" label="error ratio" color="--series-1" height={44} limit={1} />
      <span class="card-foot">
        <span>
          {model ?? 'no model'}
          {probation.value.has(thing) && (
            <em class="probation" data-testid="on-probation" title="installed, and not yet accepted">
              on probation
            </em>
          )}
        </span>
        <span>{update ? `update: ${update}` : backing}</span>
      </span>
      {alarm && (
        <span class="card-alarm">
          {lamp.feature} · {alarm.score.toFixed(1)}×
        </span>
      )}
    </button>
  );
}

function Fact({
  label,
  value,
  unit,
  digits = 2,
}: {
  readonly label: string;
  readonly value: number | undefined;
  readonly unit: string;
  readonly digits?: number;
}) {
  return (
    <span class="fact">
      <span>{label}</span>
      <span>
        <b>{value === undefined ? '–' : value.toFixed(digits)}</b> <small>{unit}</small>
      </span>
    </span>
  );
}

/** Turned frame by frame, since its speed never stays: an animation of fixed length would jump. */
function Rotor({ rps }: { readonly rps: number }) {
  const blades = useRef<SVGGElement>(null);
  const speed = useRef(rps);
  speed.current = rps;

  useEffect(() => {
    let angle = 0;
    let last = performance.now();
    let frame = requestAnimationFrame(function turn(now: number) {
      angle = (angle + speed.current * 360 * Math.min(0.1, (now - last) / 1_000)) % 360;
      last = now;
      blades.current?.setAttribute('transform', `rotate(${angle.toFixed(1)} 50 42)`);
      frame = requestAnimationFrame(turn);
    });
    return () => cancelAnimationFrame(frame);
  }, []);

  return (
    <svg class="rotor" viewBox="0 0 100 112" aria-hidden="true">
      <path d="M47.6 46 L52.4 46 L54.5 110 L45.5 110 Z" class="tower" />
      <g ref={blades}>
        {[0, 120, 240].map((degrees) => (
          <path
            key={degrees}
            class="blade"
            d="M50 42 C46.5 36 46.8 16 49.4 3 C53.4 14 54 32 50 42 Z"
            transform={`rotate(${degrees} 50 42)`}
          />
        ))}
      </g>
      <circle cx="50" cy="42" r="4" class="hub" />
    </svg>
  );
}
