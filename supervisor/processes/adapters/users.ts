import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'

/** Account of this system (passwd(5)). */
export interface Account {
  name: string
  uid: number
  gid: number
  home: string
}

function accounts(): Account[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .filter(line => line.includes(':'))
    .map(line => {
      const [name = '', , uid, gid, , home = '/'] = line.split(':')
      return { name, uid: Number(uid), gid: Number(gid), home }
    })
}

/** Account with the given name or uid. */
export function findAccount(nameOrUid: string): Account | undefined {
  return accounts().find(account => account.name === nameOrUid || String(account.uid) === nameOrUid)
}

/** Numbers of the groups that list a user as a member (group(5)). */
function memberships(name: string): number[] {
  const lines = readFileSync('/etc/group', 'utf8').split('\n')
  return lines.flatMap(line => {
    const [, , gid, members = ''] = line.split(':')
    return members.split(',').includes(name) ? Number(gid) : []
  })
}

/**
 * Supplementary groups of a program that runs as `uid`, as a container that is started as this user has them: its memberships, and the
 * groups that this process was given (docker --group-add).
 */
export function groupsOf(uid: number): number[] {
  const own = new Set([process.getgid?.(), ...memberships(findAccount(String(process.getuid?.()))?.name ?? '')])
  const added = (process.getgroups?.() ?? []).filter(group => !own.has(group))
  return [...new Set([...memberships(findAccount(String(uid))?.name ?? ''), ...added])]
}

const needed = { CAP_CHOWN: 0n, CAP_KILL: 5n, CAP_SETGID: 6n, CAP_SETUID: 7n }

/** Whether this process may run children as other users, give them sockets, and signal them (capabilities(7)). */
export function canSwitchUsers(): boolean {
  if (process.geteuid?.() !== 0) return false
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
  if (!effective) return true
  const bits = BigInt(`0x${effective}`)
  return Object.values(needed).every(bit => (bits & (1n << bit)) !== 0n)
}

/** Whether the permissions of a file let an account read it. Does not check its parent directories. */
export function canRead(path: string, account: Account): boolean {
  return isPermitted(path, account, 0o4)
}

/**
 * First directory of `path`, from the root to `path` itself, that an account may not enter; undefined if it may enter all. Follows links,
 * whose targets may be in other directories.
 */
export function findClosedDirectory(path: string, account: Account): string | undefined {
  const parts = path.split('/').filter(Boolean)
  for (const index of parts.keys()) {
    const directory = `/${parts.slice(0, index + 1).join('/')}`
    // a file in the way is another problem
    if (!existsSync(directory) || !statSync(directory).isDirectory()) return undefined
    const real = realpathSync(directory)
    if (real !== directory) return findClosedDirectory([real, ...parts.slice(index + 1)].join('/'), account)
    if (!isPermitted(directory, account, 0o1)) return directory
  }
  return undefined
}

/** Whether the permission bits allow access. A missing file counts as permitted. */
function isPermitted(path: string, { uid, gid }: Account, bit: number): boolean {
  const stat = uid === 0 ? undefined : statSync(path, { throwIfNoEntry: false })
  if (!stat) return true
  const shift = stat.uid === uid ? 6 : stat.gid === gid || groupsOf(uid).includes(stat.gid) ? 3 : 0
  return (stat.mode & (bit << shift)) !== 0
}
