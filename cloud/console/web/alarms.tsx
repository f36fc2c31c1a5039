/** The alarms of the farm, the newest first. */
import { recentAlarms } from './store.ts';

export function Alarms() {
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
    </section>
  );
}
