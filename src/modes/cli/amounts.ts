const BYTES = ["bytes", "kB", "MB", "GB", "TB", "PB"];
const BIT_RATES = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];

/** Decimal units, three digits: `999 bytes`, `1.23 MB`, `45.6 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 999.5) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  return inUnits(bytes, BYTES);
}

/** `980 Mbit/s`, `1.23 Gbit/s`. */
export function formatBitRate(bitsPerSecond: number): string {
  return bitsPerSecond < 999.5 ? `${Math.round(bitsPerSecond)} bit/s` : inUnits(bitsPerSecond, BIT_RATES);
}

/** `0.2 %`, `13 %`; what is too little to be shown but not nothing is `< 0.1 %`. */
export function formatShare(part: number, whole: number): string {
  const percent = whole > 0 ? (100 * part) / whole : 0;
  if (percent > 0 && percent < 0.05) return "< 0.1 %";
  return `${percent === 0 || percent >= 9.95 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

/** `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}

/** `0.15 ms`, `12.3 ms`, `250 ms`. */
export function formatMs(ms: number): string {
  return `${threeDigits(ms)} ms`;
}

export function formatCount(count: number, one: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${one}s`;
}

function inUnits(amount: number, units: readonly string[]): string {
  let value = amount;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${threeDigits(value)} ${units[unit] ?? ""}`;
}

function threeDigits(value: number): string {
  return value >= 99.5 ? value.toFixed(0) : value >= 9.95 ? value.toFixed(1) : value.toFixed(2);
}
