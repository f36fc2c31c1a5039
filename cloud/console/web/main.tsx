/** The console's page. It knows what the cloud knows, by its API alone. */
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import { Alarms } from './alarms.tsx';
import { Dashboards } from './dashboards.tsx';
import { Detail } from './detail.tsx';
import { Notice } from './notice.tsx';
import { Rollouts } from './rollouts.tsx';
import { turnsPerSecondOf } from './readings.ts';
import { alarms, chosen, fleet, isConnected, listen, turbines } from './store.ts';
import { Trainings } from './trainings.tsx';
import { TurbineCard } from './turbine-card.tsx';

function App() {
  const turbine = chosen.value === null ? undefined : turbines.value.get(chosen.value);
  const turning = fleet.value.filter((turbine) => turnsPerSecondOf(turbine) > 0).length;
  const standing = [...alarms.value.values()].filter(({ clearedAt }) => clearedAt === null).length;
  return (
    <>
      <header class="top">
        <img src="./icon.svg" alt="" width="34" height="34" />
        <h1>windfleet</h1>
        <span>
          <b>{fleet.value.length}</b> turbines
        </span>
        <span>
          <b>{turning}</b> turning
        </span>
        <span class={standing > 0 ? 'bad' : ''}>
          <b>{standing}</b> {standing === 1 ? 'alarm' : 'alarms'}
        </span>
        <span class={`connection ${isConnected.value ? '' : 'bad'}`} data-testid="connection">
          {isConnected.value ? 'live' : 'no connection'}
        </span>
      </header>
      <main>
        <section class="farm" aria-label="The farm">
          {fleet.value.map((one) => (
            <TurbineCard key={one.thing} turbine={one} />
          ))}
        </section>
        <div class="columns">
          {turbine ? (
            <Detail key={turbine.thing} turbine={turbine} />
          ) : (
            <section class="panel detail quiet">Waiting for the first turbine …</section>
          )}
          <div class="side">
            <Trainings />
            <Rollouts />
            <Alarms />
          </div>
        </div>
        <Dashboards />
      </main>
      <Notice />
    </>
  );
}

listen();
const place = document.getElementById('app');
if (place) render(<App />, place);
