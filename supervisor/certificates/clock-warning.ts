import type { Log } from '../base/log.ts'

/** Differences below this are not reported, in ms. */
const toleratedMs = 300_000

/** Warns that the clock is before a time that has certainly passed. `evidence`: what shows it. */
export function warnOfClockBehind(log: Log, times: { now: number; passed: number; evidence: string }): void {
  const { now, passed, evidence } = times
  if (passed - now < toleratedMs) return
  log.warn('the clock of this machine is behind', {
    clock: iso(now),
    evidence: `${evidence} is valid from ${iso(passed)}`,
    fix: 'set the clock, for instance with NTP',
  })
}

/** Check of the clock against the times that a CA reports; logs a difference once, until it is gone. */
export function createClockCheck(log: Log, now: () => number): (time: number) => void {
  let isReported = false
  return time => {
    const isOff = Math.abs(now() - time) >= toleratedMs
    if (isOff && !isReported)
      log.warn('the clock of this machine differs from that of the CA', {
        clock: iso(now()),
        ca: iso(time),
        fix: 'set the clock, for instance with NTP',
      })
    isReported = isOff
  }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
