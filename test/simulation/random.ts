/** Pseudo-random numbers that depend only on their seed (mulberry32, a public-domain generator by Tommy Ettinger). */
export interface Random {
  /** From 0 to 1, without 1. */
  next(): number
  /** True with this probability. */
  chance(probability: number): boolean
  /** Whole number from `from` to `to`, both included. */
  between(from: number, to: number): number
  /** One of the choices, of which there is at least one. */
  pick<T>(choices: readonly T[]): T
}

/** Numbers of a seed. */
export function createRandom(seed: number): Random {
  let state = seed | 0

  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  return {
    next,
    chance: probability => next() < probability,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    pick: choices => choices[Math.floor(next() * choices.length)] as (typeof choices)[number],
  }
}
