/** Trainings that tell this console how they go: how far each is, when it will end, and its losses by epoch. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { TrainingReport } from '../../../actors/contracts/trainings.ts';
import { axis } from './chart.tsx';
import { trainings } from './store.ts';
import { colourOf, theme } from './theme.ts';

const TRAINING = '--series-3';
const HELD_OUT = '--series-2';

export function Trainings() {
  if (trainings.value.length === 0) return null;
  return (
    <section class="panel" aria-label="Trainings">
      <header>
        <h2>Training</h2>
        <span class="legend">
          <i style={{ color: `var(${TRAINING})` }}>— trains</i>
          <i style={{ color: `var(${HELD_OUT})` }}>— held out</i>
        </span>
      </header>
      {trainings.value.map((training) => (
        <Training key={training.id} training={training} />
      ))}
    </section>
  );
}

const badge: Readonly<Record<TrainingReport['state'], string>> = {
  running: 'in_progress',
  done: 'succeeded',
  stopped: '',
  failed: 'failed',
};

function Training({ training }: { readonly training: TrainingReport }) {
  const { model, machine, network, state, epoch, epochs, fold, share, windowsPerSecond, secondsLeft, history } = training;
  const last = history.at(-1);
  return (
    <div class="job" data-testid="training" data-state={state}>
      <div class="job-head">
        <strong>{model}</strong>
        <span class={`badge ${badge[state]}`}>{state}</span>
      </div>
      <small class="quiet">
        {machine} · {network} · {fold === null ? '' : `fold ${fold} · `}epoch {epoch} of {epochs}
        {last ? ` · held out ${last.heldOutLoss.toFixed(4)}` : ''}
        {state === 'running' && secondsLeft !== null ? ` · ${windowsPerSecond} windows/s · at most ${duration(secondsLeft)} to go` : ''}
      </small>
      {state === 'running' && <progress max={1} value={share} aria-label={`training of ${model}`} />}
      {history.length > 1 && <Losses training={training} />}
    </div>
  );
}

/** On a logarithmic scale: most of a training happens in its last tenth of loss. */
function Losses({ training: { model, history } }: { readonly training: TrainingReport }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = theme.value;
  const data: uPlot.AlignedData = [
    history.map(({ epoch }) => epoch),
    history.map(({ trainingLoss }) => trainingLoss),
    history.map(({ heldOutLoss }) => heldOutLoss),
  ];

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const width = () => element.clientWidth || 260;
    plot.current = new uPlot(
      {
        width: width(),
        height: 110,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false }, y: { distr: 3 } },
        axes: [axis({ size: 22, incrs: [1, 2, 5, 10, 20, 50, 100] }), axis({ size: 46 })],
        series: [
          {},
          { label: 'training', stroke: colourOf(TRAINING), width: 1.5, points: { show: false } },
          { label: 'held out', stroke: colourOf(HELD_OUT), width: 1.5, points: { show: false } },
        ],
      },
      data,
      element,
    );
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: width(), height: 110 }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shown]);
  useEffect(() => plot.current?.setData(data), [history]);

  return <div class="plot" ref={place} role="img" aria-label={`losses of ${model} by epoch`} />;
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}
