/** A certificate of a chain, as far as its place in it goes. */
export interface ChainLink {
  subject: string
  /** Whether `this` was issued by the other. */
  isIssuedBy(other: ChainLink): boolean
}

/**
 * Puts what a file holds in the order in which it is sent: the leaf, then each issuer. What does not belong to the chain is
 * left over: nginx would send it, and some clients stumble.
 */
export function orderChain<T extends ChainLink>(leaf: T, others: readonly T[]): { chain: T[]; strangers: T[] } {
  const chain = [leaf]
  let left = [...others]
  for (;;) {
    const last = chain.at(-1) as T
    const issuer = left.find(other => last.isIssuedBy(other))
    if (!issuer) return { chain, strangers: left }
    left = left.filter(other => other !== issuer)
    chain.push(issuer)
  }
}
