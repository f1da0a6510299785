// Times for people: short ones in milliseconds, longer ones in seconds and minutes, two digits or three of each.

export function formatDuration(ms: number): string {
  if (ms < 9.95) {
    return `${Number(ms.toFixed(1))} ms`;
  }
  if (ms < 999.5) {
    return `${Math.round(ms)} ms`;
  }
  const seconds = ms / 1000;
  if (seconds < 9.95) {
    return `${seconds.toFixed(1)} s`;
  }
  return seconds < 99.5 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
