/** A plan out of what somebody wishes: what is not said is filled in, and what makes no sense is named, all of it. */
import type { RolloutPlan, RolloutWishes, WaveSize } from '../../contracts/deployments.ts';
import { ConfigInvalid } from '../../contracts/errors.ts';

const SOAK_MS = 60_000;
const MIN_WINDOWS = 12;
const LONGEST_WAIT_MS = 600_000;
const DAY_MS = 86_400_000;
const MOST_WAVES = 50;

/** What makes no sense, and where it stands among the wishes: `['waves', 1]`. */
export interface PlanFault {
  readonly path: readonly (string | number)[];
  readonly why: string;
}

type ParseWindow = (text: string) => unknown;

/** @param parseWindow throws ConfigInvalid for what is none. @throws ConfigInvalid naming every fault */
export function planOf(wishes: RolloutWishes, parseWindow: ParseWindow): RolloutPlan {
  const faults = planFaults(wishes, parseWindow);
  if (faults.length > 0)
    throw new ConfigInvalid(`no plan for a rollout:\n${faults.map(({ path, why }) => `  ${nameOf(path)}: ${why}`).join('\n')}`, {
      hint: 'as --waves 10%,50%,100% --soak 2m --budget-kw 500 --window "cron(0 2 * * ? *) for 2h and below 4 m/s"',
    });
  const { waves = ['100%'], soak = SOAK_MS, budgetKw = null, budgetDevices = null, window = null } = wishes;
  const { minWindows = MIN_WINDOWS, longestWait = LONGEST_WAIT_MS } = wishes;
  return { waves, soak, budgetKw, budgetDevices, window, minWindows, longestWait };
}

export function planFaults(wishes: RolloutWishes, parseWindow: ParseWindow): readonly PlanFault[] {
  const { waves, soak = SOAK_MS, budgetKw, budgetDevices, window, minWindows = MIN_WINDOWS, longestWait = LONGEST_WAIT_MS } = wishes;
  const faults: PlanFault[] = [];
  const hold = (isSo: boolean, path: PlanFault['path'], why: string) => {
    if (!isSo) faults.push({ path, why });
  };
  if (waves) checkWaves(waves, hold);
  const isSpan = (ms: number) => Number.isInteger(ms) && ms >= 0 && ms <= 30 * DAY_MS;
  hold(isSpan(soak), ['soak'], `${soak} ms is not within 0 and 30 days`);
  hold(isSpan(longestWait), ['longestWait'], `${longestWait} ms is not within 0 and 30 days`);
  hold(budgetKw === undefined || (Number.isFinite(budgetKw) && budgetKw > 0), ['budgetKw'], `${budgetKw} is no power above 0`);
  const isCount = budgetDevices === undefined || (Number.isInteger(budgetDevices) && budgetDevices > 0);
  hold(isCount, ['budgetDevices'], `${budgetDevices} is no count above 0`);
  hold(Number.isInteger(minWindows) && minWindows >= 1 && minWindows <= 200, ['minWindows'], `${minWindows} is not within 1..200`);
  if (window !== undefined)
    try {
      parseWindow(window);
    } catch (error) {
      if (!(error instanceof ConfigInvalid)) throw error;
      faults.push({ path: ['window'], why: error.message });
    }
  return faults;
}

function checkWaves(waves: readonly WaveSize[], hold: (isSo: boolean, path: PlanFault['path'], why: string) => void): void {
  hold(waves.length >= 1 && waves.length <= MOST_WAVES, ['waves'], `${waves.length} of them, not 1 to ${MOST_WAVES}`);
  for (const [i, wave] of waves.entries()) {
    const share = typeof wave === 'string' && /^\d+(\.\d+)?%$/.test(wave) ? Number(wave.slice(0, -1)) : null;
    const isSize = typeof wave === 'number' ? Number.isInteger(wave) && wave >= 1 : share !== null && share > 0 && share <= 100;
    const words = typeof wave === 'number' ? 'no count of turbines' : 'no share above 0 % and up to 100 %';
    hold(isSize, ['waves', i], `${wave} is ${words}`);
    const before = waves[i - 1];
    if (i > 0 && isSize && typeof before === typeof wave)
      hold(
        Number.parseFloat(String(wave)) > Number.parseFloat(String(before)),
        ['waves', i],
        `${wave} is not more than ${before}: they add up`,
      );
  }
}

/** `waves[1]` */
const nameOf = (path: PlanFault['path']): string => path.map((part) => (typeof part === 'number' ? `[${part}]` : part)).join('');
