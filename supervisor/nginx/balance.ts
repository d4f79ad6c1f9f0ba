/** How nginx chooses among the servers of a group, by the word in the configuration. */
const methods = {
  least_conn: { lines: ['least_conn;'], hasBackups: true },
  round_robin: { lines: [], hasBackups: true },
  ip_hash: { lines: ['ip_hash;'], hasBackups: false },
} as const

/** Balance method of a group of servers. */
export type Balance = keyof typeof methods

/** Every balance method, the default one first. */
export const balances = Object.keys(methods) as [Balance, ...Balance[]]

/** Directive of a method, for an upstream block. */
export function balanceLines(balance: Balance): readonly string[] {
  return methods[balance].lines
}

/** Whether a group with this method may have servers marked `backup`: nginx's hashes refuse them. */
export function hasBackups(balance: Balance): boolean {
  return methods[balance].hasBackups
}

/** Methods as an error lists them: `least_conn, round_robin or ip_hash`. */
export function listBalances(all: readonly string[]): string {
  return `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`
}
