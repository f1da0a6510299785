// How much time of the processor a process has used.

/** Of all its threads, since it was started. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
