/**
 * How long the processor worked on this, in milliseconds. A limit on it holds on a machine that has other work, too.
 */
export function processorTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
