/** A plan out of what somebody wishes: what is not said is filled in, and what makes no sense is named, all of it. */
import type { RolloutPlan, RolloutWishes, WaveSize } from '../../contracts/deployments.ts';
import { ConfigInvalid } from '../../contracts/errors.ts';

const SOAK_MS = 60_000;
const MIN_WINDOWS = 12;
const LONGEST_WAIT_MS = 600_000;
const DAY_MS = 86_400_000;
const MOST_WAVES = 50;

/** @param parseWindow throws ConfigInvalid for what is none. @throws ConfigInvalid naming every fault */
export function planOf(wishes: RolloutWishes, parseWindow: (text: string) => unknown): RolloutPlan {
  const { waves, soak = SOAK_MS, budgetKw = null, budgetDevices = null, window = null } = wishes;
  const { minWindows = MIN_WINDOWS, longestWait = LONGEST_WAIT_MS } = wishes;
  const faults: string[] = [];
  const hold = (isSo: boolean, why: string) => {
    if (!isSo) faults.push(why);
  };
  if (waves) checkWaves(waves, hold);
  const isSpan = (ms: number) => Number.isInteger(ms) && ms >= 0 && ms <= 30 * DAY_MS;
  hold(isSpan(soak), `soak: ${soak} ms is not within 0 and 30 days`);
  hold(isSpan(longestWait), `longestWait: ${longestWait} ms is not within 0 and 30 days`);
  hold(budgetKw === null || (Number.isFinite(budgetKw) && budgetKw > 0), `budgetKw: ${budgetKw} is no power above 0`);
  hold(
    budgetDevices === null || (Number.isInteger(budgetDevices) && budgetDevices > 0),
    `budgetDevices: ${budgetDevices} is no count above 0`,
  );
  hold(Number.isInteger(minWindows) && minWindows >= 1 && minWindows <= 200, `minWindows: ${minWindows} is not within 1..200`);
  if (window !== null)
    try {
      parseWindow(window);
    } catch (error) {
      if (!(error instanceof ConfigInvalid)) throw error;
      faults.push(`window: ${error.message}`);
    }
  if (faults.length > 0)
    throw new ConfigInvalid(`no plan for a rollout:\n${faults.map((fault) => `  ${fault}`).join('\n')}`, {
      hint: 'as --waves 10%,50%,100% --soak 2m --budget-kw 500 --window "cron(0 2 * * ? *) for 2h and below 4 m/s"',
    });
  return { waves: waves ?? ['100%'], soak, budgetKw, budgetDevices, window, minWindows, longestWait };
}

function checkWaves(waves: readonly WaveSize[], hold: (isSo: boolean, why: string) => void): void {
  hold(waves.length >= 1 && waves.length <= MOST_WAVES, `waves: ${waves.length} of them, not 1 to ${MOST_WAVES}`);
  for (const [i, wave] of waves.entries()) {
    const share = typeof wave === 'string' && /^\d+(\.\d+)?%$/.test(wave) ? Number(wave.slice(0, -1)) : null;
    const isSize = typeof wave === 'number' ? Number.isInteger(wave) && wave >= 1 : share !== null && share > 0 && share <= 100;
    hold(isSize, `waves[${i}]: ${JSON.stringify(wave)} is no count above 0 and no share as 10%`);
    const before = waves[i - 1];
    if (i > 0 && isSize && typeof before === typeof wave)
      hold(
        Number.parseFloat(String(wave)) > Number.parseFloat(String(before)),
        `waves[${i}]: ${wave} is not more than ${before}: they add up`,
      );
  }
}
