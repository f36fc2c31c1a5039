/**
 * The saved queries as plots: the original's anomalies by turbine and over time, and its averages. Asked again every few seconds while
 * somebody looks.
 */
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Dashboard } from '../../../actors/contracts/dashboards.ts';
import type { AggregationRow } from '../../../actors/contracts/index.ts';
import { BarsOverTime, StackedByThing } from './bars.tsx';
import { Lines } from './lines.tsx';
import { rankFeatures } from './stack.ts';
import { ask, fleet } from './store.ts';
import { seriesColour } from './theme.ts';

const SPANS = [
  { label: '10 minutes', span: '10m', fine: '30s', coarse: '1m', refreshMs: 5_000 },
  { label: 'hour', span: '1h', fine: '30s', coarse: '1m', refreshMs: 10_000 },
  { label: 'day', span: '1d', fine: '15m', coarse: '15m', refreshMs: 60_000 },
  { label: 'week', span: '7d', fine: '2h', coarse: '2h', refreshMs: 60_000 },
] as const;
const MOST_STRIPS = 8;
const MOST_BARS = 24;

const listed = signal<readonly Pick<Dashboard, 'id' | 'plot'>[]>([]);
const dashboards = signal<ReadonlyMap<string, Dashboard>>(new Map());
const range = signal<(typeof SPANS)[number]>(SPANS[0]);
const thing = signal('');
const trouble = signal('');
/** The same features in the same colours in every plot. */
const features = computed(() => rankFeatures(rowsOf(dashboards.value.get('detected-anomalies'))));

const rowsOf = (dashboard: Dashboard | undefined): readonly AggregationRow[] => dashboard?.series[0].rows ?? [];

async function refresh(): Promise<void> {
  if (listed.value.length === 0) listed.value = await ask('GET', '/api/dashboards');
  const { span, fine, coarse } = range.value;
  const asked = `${span} ${thing.value}`;
  const answers = await Promise.all(
    listed.value.map(({ id, plot }) =>
      ask<Dashboard>(
        'GET',
        `/api/dashboards/${id}?span=${span}&every=${plot === 'strips' ? fine : coarse}${thing.value === '' ? '' : `&thing=${thing.value}`}`,
      ),
    ),
  );
  if (asked === `${range.value.span} ${thing.value}`) dashboards.value = new Map(answers.map((dashboard) => [dashboard.id, dashboard]));
}

export function Dashboards() {
  useEffect(() => {
    let isAsking = false;
    const tick = () => {
      if (isAsking || document.hidden) return;
      isAsking = true;
      refresh()
        .then(
          () => {
            trouble.value = '';
          },
          (error: Error) => {
            trouble.value = error.message;
          },
        )
        .finally(() => {
          isAsking = false;
        });
    };
    tick();
    const timer = setInterval(tick, range.value.refreshMs);
    return () => clearInterval(timer);
  }, [range.value, thing.value]);

  return (
    <section class="panel dashboards" aria-label="Dashboards" data-testid="dashboards">
      <header>
        <h2>Dashboards</h2>
        <Choices />
      </header>
      {trouble.value !== '' && <p class="bad">{trouble.value}</p>}
      <div class="dashboard-grid">
        {listed.value.map(({ id }) => {
          const dashboard = dashboards.value.get(id);
          return dashboard && <Panel key={id} dashboard={dashboard} />;
        })}
      </div>
    </section>
  );
}

function Choices() {
  return (
    <div class="controls">
      <label>
        Turbine
        <select
          data-testid="dashboard-thing"
          value={thing.value}
          onChange={(event) => {
            thing.value = event.currentTarget.value;
          }}
        >
          <option value="">all of them</option>
          {fleet.value.map((one) => (
            <option key={one.thing} value={one.thing}>
              {one.thing}
            </option>
          ))}
        </select>
      </label>
      <label>
        The last
        <select
          data-testid="dashboard-span"
          value={range.value.span}
          onChange={(event) => {
            range.value = SPANS.find(({ span }) => span === event.currentTarget.value) ?? SPANS[0];
          }}
        >
          {SPANS.map(({ label, span }) => (
            <option key={span} value={span}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function Panel({ dashboard }: { readonly dashboard: Dashboard }) {
  const { id, title, about, unit, series, plot } = dashboard;
  const isEmpty = series.every(({ rows }) => rows.length === 0);
  return (
    <figure class={plot} data-testid="dashboard" data-id={id} data-rows={series.reduce((sum, { rows }) => sum + rows.length, 0)}>
      <figcaption title={about}>
        {title} <small>{unit}</small>
      </figcaption>
      {isEmpty ? <Nothing dashboard={dashboard} /> : <Drawn dashboard={dashboard} />}
    </figure>
  );
}

function Nothing({ dashboard: { plot } }: { readonly dashboard: Dashboard }) {
  const when = `in the last ${range.value.label}`;
  const whose = thing.value === '' ? 'any turbine' : thing.value;
  return (
    <p class="quiet empty">
      {plot === 'lines'
        ? `No readings of ${whose} were logged ${when}. Desk turbines log theirs while they are observed: all of them in a farm of up to ten.`
        : `No window of ${whose} was anomalous ${when}.`}
    </p>
  );
}

function Drawn({ dashboard }: { readonly dashboard: Dashboard }) {
  switch (dashboard.plot) {
    case 'stacked':
      return <Stacked dashboard={dashboard} />;
    case 'strips':
      return <Strips dashboard={dashboard} />;
    case 'bars':
      return <Count dashboard={dashboard} />;
    case 'lines':
      return (
        <>
          <Lines dashboard={dashboard} height={170} />
          {dashboard.series.length > 1 && <Legend names={dashboard.series.map(({ label }) => label)} />}
        </>
      );
  }
}

/** Those with the most first where not all have room, then by name. */
function mostOf(rows: readonly AggregationRow[], most: number): { readonly shown: readonly string[]; readonly all: number } {
  const totals = new Map(fleet.value.filter((one) => thing.value === '' || one.thing === thing.value).map((one) => [one.thing, 0]));
  for (const { by, value } of rows) totals.set(String(by['thing']), (totals.get(String(by['thing'])) ?? 0) + value);
  const ranked = [...totals].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([name]) => name);
  return { shown: ranked.slice(0, most).sort(), all: ranked.length };
}

function Stacked({ dashboard }: { readonly dashboard: Dashboard }) {
  const rows = rowsOf(dashboard);
  const { shown, all } = mostOf(rows, MOST_BARS);
  return (
    <>
      <StackedByThing rows={rows} features={features.value} things={shown} />
      <Legend names={features.value} />
      <Left shown={shown.length} all={all} />
    </>
  );
}

function Strips({ dashboard }: { readonly dashboard: Dashboard }) {
  const rows = rowsOf(dashboard);
  const { from, to, every } = dashboard;
  const { shown, all } = mostOf(rows, MOST_STRIPS);
  const totals = new Map<string, number>();
  for (const { by, at, value } of rows) totals.set(`${by['thing']} ${at}`, (totals.get(`${by['thing']} ${at}`) ?? 0) + value);
  const most = Math.max(1, ...totals.values());
  return (
    <>
      {shown.map((name, i) => {
        const own = rows.filter(({ by }) => by['thing'] === name);
        const hasTimes = i === shown.length - 1;
        return (
          <div key={name} class="strip">
            <span>{name}</span>
            <BarsOverTime
              rows={own}
              features={features.value}
              from={from}
              to={to}
              every={every ?? to - from}
              height={hasTimes ? 66 : 44}
              label={`${name}: ${own.reduce((sum, { value }) => sum + value, 0)} anomalies`}
              most={most}
              hasTimes={hasTimes}
            />
          </div>
        );
      })}
      <Left shown={shown.length} all={all} />
    </>
  );
}

function Count({ dashboard }: { readonly dashboard: Dashboard }) {
  const rows = rowsOf(dashboard);
  const { from, to, every } = dashboard;
  const total = rows.reduce((sum, { value }) => sum + value, 0);
  return (
    <BarsOverTime
      rows={rows}
      features={[]}
      from={from}
      to={to}
      every={every ?? to - from}
      height={170}
      label={`${total} anomalies over time`}
    />
  );
}

const Left = ({ shown, all }: { readonly shown: number; readonly all: number }) =>
  shown < all ? <p class="quiet">{`The ${shown} of ${all} turbines with the most.`}</p> : null;

function Legend({ names }: { readonly names: readonly string[] }) {
  return (
    <div class="legend">
      {names.map((name, i) => (
        <span key={name}>
          <svg viewBox="0 0 8 8" aria-hidden="true">
            <rect width="8" height="8" rx="2" style={{ fill: `var(${seriesColour(i)})` }} />
          </svg>
          {name}
        </span>
      ))}
    </div>
  );
}
