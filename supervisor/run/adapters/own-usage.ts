/** What this process uses: CPU time in s, resident bytes, and its start in seconds since the Unix epoch. */
export function readOwnUsage(): { cpuSeconds: number; rss: number; startedAt: number } {
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  return {
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    rss: process.memoryUsage.rss(),
    startedAt: Math.round(Date.now() / 1000 - process.uptime()),
  }
}
