/** Alarms, and the original's two plots: anomalies by turbine stacked by feature, and over time in buckets of 30 s. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { AggregationRow } from '../../../actors/contracts/index.ts';
import { ask, fleet, recentAlarms } from './store.ts';

const counts = signal<readonly AggregationRow[]>([]);
const overTime = signal<readonly AggregationRow[]>([]);
const REFRESH_MS = 5_000;
const SPAN_MS = 10 * 60_000;
const COLORS = ['#7fd1c7', '#e6c06a', '#8ab6f0', '#c79bf2', '#e0636b', '#9bd08a', '#e59a5c', '#d3d9de'];

/** Reads both plots' rows; before the first verdict there is no index to ask. */
async function refresh(): Promise<void> {
  const newest = Math.max(0, ...fleet.value.map(({ updatedAt }) => updatedAt));
  if (newest === 0) return;
  const query = `index=verdicts&where.anomalous=true&agg=count&from=${Math.floor((newest - SPAN_MS) / 30_000) * 30_000}`;
  [counts.value, overTime.value] = await Promise.all([
    ask<AggregationRow[]>('GET', `/api/query?${query}&by=thing,feature`),
    ask<AggregationRow[]>('GET', `/api/query?${query}&by=thing&every=30s`),
  ]);
}

export function Anomalies() {
  useEffect(() => {
    const tick = () => refresh().catch(() => {}); // the next one is a few seconds away
    tick();
    const timer = setInterval(tick, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);

  return (
    <section class="panel" aria-label="Alarms">
      <header>
        <h2>Alarms</h2>
      </header>
      {recentAlarms.value.length === 0 && (
        <p class="quiet">None. Every window of every turbine looks like the ones the model learned from.</p>
      )}
      <ul class="alarms">
        {recentAlarms.value.slice(0, 6).map((alarm) => (
          <li
            key={alarm.id}
            class={`${alarm.severity} ${alarm.clearedAt === null ? 'standing' : ''}`}
            data-testid="alarm-row"
            data-thing={alarm.thing}
          >
            <time>{new Date(alarm.at).toLocaleTimeString()}</time>
            <strong>{alarm.thing}</strong>
            <span>{alarm.feature}</span>
            <span class="quiet">
              {alarm.score.toFixed(1)}× {alarm.clearedAt === null ? '' : 'cleared'}
            </span>
          </li>
        ))}
      </ul>
      <h3>Anomalous windows by turbine and feature, 10 min</h3>
      <Stacked />
      <h3>Anomalous windows over time, 30 s</h3>
      <Strips />
    </section>
  );
}

function Stacked() {
  const features = [...new Set(counts.value.map(({ by }) => String(by['feature'])))].sort();
  const rows = fleet.value.map(({ thing }) => ({ thing, parts: counts.value.filter(({ by }) => by['thing'] === thing) }));
  const largest = Math.max(1, ...rows.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0)));
  return (
    <div class="stacked">
      {rows.map(({ thing, parts }) => (
        <div key={thing} class="bar-row">
          <span>{thing}</span>
          <svg
            viewBox="0 0 100 8"
            preserveAspectRatio="none"
            role="img"
            aria-label={`${thing}: ${parts.map(({ by, value }) => `${by['feature']} ${value}`).join(', ') || 'none'}`}
          >
            <rect width="100" height="8" class="bar-bed" />
            {parts.map(({ by, value }, i) => {
              const before = parts.slice(0, i).reduce((sum, part) => sum + part.value, 0);
              return (
                <rect
                  key={String(by['feature'])}
                  x={(100 * before) / largest}
                  width={(100 * value) / largest}
                  height="8"
                  fill={COLORS[features.indexOf(String(by['feature'])) % COLORS.length]}
                />
              );
            })}
          </svg>
        </div>
      ))}
      <div class="legend">
        {features.map((feature, i) => (
          <span key={feature}>
            <svg viewBox="0 0 8 8" aria-hidden="true">
              <rect width="8" height="8" rx="2" fill={COLORS[i % COLORS.length]} />
            </svg>
            {feature}
          </span>
        ))}
      </div>
    </div>
  );
}

function Strips() {
  const end = Math.max(0, ...fleet.value.map(({ updatedAt }) => updatedAt));
  const start = Math.floor((end - SPAN_MS) / 30_000) * 30_000;
  const largest = Math.max(1, ...overTime.value.map(({ value }) => value));
  return (
    <div class="strips">
      {fleet.value.map(({ thing }) => (
        <div key={thing} class="bar-row">
          <span>{thing}</span>
          <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
            <rect width="100" height="12" class="bar-bed" />
            {overTime.value
              .filter(({ by }) => by['thing'] === thing)
              .map(({ at, value }) => (
                <rect
                  key={at}
                  x={(100 * ((at ?? 0) - start)) / SPAN_MS}
                  width={100 / 21}
                  y={12 - (12 * value) / largest}
                  height={(12 * value) / largest}
                  class="bar"
                />
              ))}
          </svg>
        </div>
      ))}
    </div>
  );
}
