const megabyte = 2 ** 20
/** Memory of a process that runs PHP: that of a usual WordPress or Laravel page, beside what all processes share. */
const childBytes = 64 * megabyte
/** Share of the memory for PHP; the rest is for nginx, monohull, opcache and the other programs. */
const phpShare = 0.75
const mostPerCpu = 10
const least = 2

/** Numbers of processes of a pool (pm = dynamic). */
export interface Children {
  max: number
  start: number
  minSpare: number
  maxSpare: number
}

/** Numbers for this machine, or for the configured maximum. */
export function planChildren(
  max: number | undefined,
  { cpus, memoryBytes }: { cpus: number; memoryBytes: number },
): Children {
  const fitting = Math.floor((memoryBytes * phpShare) / childBytes)
  const chosen = max ?? Math.max(least, Math.min(fitting, mostPerCpu * cpus))
  const spare = Math.min(chosen, Math.max(1, cpus))
  return { max: chosen, start: spare, minSpare: spare, maxSpare: Math.min(chosen, 2 * spare) }
}
