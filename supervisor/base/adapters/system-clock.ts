import type { Clock } from '../clock.ts'

/** Clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic() {
    // `performance` would be another half megabyte
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1000 + Math.floor(nanoseconds / 1e6)
  },
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Chance, from 0 up to 1. */
export const systemRandom = (): number => Math.random()
