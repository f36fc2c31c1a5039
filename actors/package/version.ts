/** SemVer 2.0.0, as far as models need it: `major.minor.patch[-prerelease]`, no build metadata. */
const SEMVER = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

export const isVersion = (text: string): boolean => SEMVER.test(text);

/** The original counted `1.0`, `2`: read as 1.0.0 and 2.0.0. Null for what is no version. */
export function readVersion(text: string): string | null {
  const whole = /^\d+$/.test(text) ? `${text}.0.0` : /^\d+\.\d+$/.test(text) ? `${text}.0` : text;
  return isVersion(whole) ? whole : null;
}

/** Below 0 when `a` comes before `b`, by SemVer's precedence (§11). Both must be versions. */
export function compareVersions(a: string, b: string): number {
  const left = SEMVER.exec(a)!;
  const right = SEMVER.exec(b)!;
  for (let i = 1; i <= 3; i++) if (left[i] !== right[i]) return Number(left[i]) - Number(right[i]);
  if (left[4] === right[4]) return 0;
  if (left[4] === undefined) return 1; // a release comes after its prereleases
  if (right[4] === undefined) return -1;
  return comparePrereleases(left[4].split('.'), right[4].split('.'));
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] === b[i]) continue;
    const [x, y] = [a[i], b[i]].map((part) => (/^\d+$/.test(part) ? Number(part) : null));
    if (x !== null && y !== null) return x - y;
    if (x !== null) return -1; // numbers come before words
    if (y !== null) return 1;
    return a[i] < b[i] ? -1 : 1;
  }
  return a.length - b.length;
}
