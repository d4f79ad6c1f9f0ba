/** Certificate that can be ordered into a chain. */
export interface ChainLink {
  subject: string
  /** Whether `other` issued this certificate. */
  isIssuedBy(other: ChainLink): boolean
}

/**
 * Chain in the order in which TLS sends it: the leaf, then each issuer. `unrelated` are the certificates outside the chain; they
 * must not be sent, because some clients reject them.
 */
export function orderChain<T extends ChainLink>(leaf: T, others: readonly T[]): { chain: T[]; unrelated: T[] } {
  const chain = [leaf]
  let left = [...others]
  for (;;) {
    const last = chain.at(-1) as T
    const issuer = left.find(other => last.isIssuedBy(other))
    if (!issuer) return { chain, unrelated: left }
    left = left.filter(other => other !== issuer)
    chain.push(issuer)
  }
}
