import type { Clock } from '../clock.ts'

/** Clock of the system. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic() {
    // loading `performance` would cost half a megabyte of memory
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1000 + Math.floor(nanoseconds / 1e6)
  },
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Random number from 0 up to, but not including, 1. */
export const systemRandom = (): number => Math.random()
