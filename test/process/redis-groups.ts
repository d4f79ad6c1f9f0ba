import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { makeCertificate } from '../make-certificate.ts'
import { freePorts } from './free-ports.ts'
import { defer, temporaryFolder, until } from './monohull.ts'
import { type RedisKind, type RedisServer, redis, startServer } from './redis-server.ts'

const run = promisify(execFile)

/** What a group of servers has beside the usual. */
export interface GroupOptions {
  kind?: RedisKind
  /** TLS, and nothing else, between all of them and with clients. */
  tls?: ServerCertificate | undefined
  /** Password of the default user of the servers. */
  password?: string
  /** Password of the Sentinels. */
  sentinelPassword?: string
}

/** Certificate of servers, which is its own CA. */
export interface ServerCertificate {
  chain: string
  key: string
}

/** A certificate for servers with a name, or at an address. */
export function certify(t: TestContext, name: string, address?: string): ServerCertificate {
  const folder = temporaryFolder(t)
  makeCertificate(folder, name, { chain: 'ca.pem', key: 'key.pem', ...(address ? { address } : {}) })
  return { chain: join(folder, 'ca.pem'), key: join(folder, 'key.pem') }
}

/** Settings of a server with a port, as `name value`. */
function settingsOf(port: number, { tls, password }: GroupOptions): string[] {
  const auth = password === undefined ? [] : [`requirepass ${password}`, `masterauth ${password}`]
  if (!tls) return [`port ${port}`, 'bind 127.0.0.1', ...auth]
  const files = [`tls-cert-file ${tls.chain}`, `tls-key-file ${tls.key}`, `tls-ca-cert-file ${tls.chain}`]
  const more = ['tls-replication yes', 'tls-auth-clients no']
  return ['port 0', `tls-port ${port}`, 'bind 127.0.0.1', ...files, ...more, ...auth]
}

const toArguments = (settings: readonly string[]) => settings.flatMap(line => `--${line}`.split(' '))

/** Words of the command line client for a port. */
const clientOf = (port: number | undefined, { tls }: GroupOptions, password: string | undefined) => [
  ...['-p', String(port), '--no-auth-warning'],
  ...(tls ? ['--tls', '--cacert', tls.chain] : []),
  ...(password === undefined ? [] : ['-a', password]),
]

/** A master with a replica, and a Sentinel that makes the replica the master once the master is gone. */
export async function startSentinel(t: TestContext, options: GroupOptions = {}) {
  const { tls, password, sentinelPassword } = options
  const kind = { ...redis, ...options.kind, password }
  const [one = 0, two = 0, watcher = 0] = await freePorts(3)
  const on = (port: number) => [...toArguments(settingsOf(port, options)), '--repl-diskless-sync-delay', '0']
  const master = await startServer(t, kind, ...on(one))
  const replica = await startServer(t, kind, ...on(two), '--replicaof', '127.0.0.1', String(one))
  await until('the replica', async () => (await replica.cli('info', 'replication')).includes('master_link_status:up'))
  const text = [
    ...settingsOf(watcher, { tls }),
    ...(sentinelPassword === undefined ? [] : [`requirepass ${sentinelPassword}`]),
    `sentinel monitor main 127.0.0.1 ${one} 1`,
    ...(password === undefined ? [] : [`sentinel auth-pass main ${password}`]),
    'sentinel down-after-milliseconds main 300',
    'sentinel failover-timeout main 3000',
  ].join('\n')
  const path = join(temporaryFolder(t, { 'sentinel.conf': `${text}\n` }), 'sentinel.conf')
  const sentinel = spawn(kind.server, [path, '--sentinel'], { stdio: 'ignore' })
  const exited = once(sentinel, 'exit')
  defer(t, async () => {
    sentinel.kill('SIGKILL')
    await exited
  })
  const cli = async (...words: string[]) =>
    (await run(kind.cli, [...clientOf(watcher, options, sentinelPassword), ...words], { timeout: 10_000 })).stdout
  const ask = (...words: string[]) => cli('sentinel', ...words)
  await until('the Sentinel', () =>
    ask('replicas', 'main').then(
      text => text.includes(String(two)) && text.includes('master-link-status\nok'),
      () => false,
    ),
  )
  const store = `redis${tls ? 's' : ''}+sentinel://127.0.0.1:1,127.0.0.1:${watcher}/main`
  return { store, master, replica, ask, cli, masterPort: one, sentinelPort: watcher }
}

/** Settles when the replica of a failover is the master. */
export const promoted = (replica: RedisServer) =>
  until('the failover', async () => (await replica.cli('info', 'replication')).includes('role:master'))

/** A cluster of three masters, of which the last has a replica; `cli` finds the one of a key. */
export async function startCluster(t: TestContext, options: GroupOptions & { more?: string[] } = {}) {
  const { tls, more = [] } = options
  const kind = options.kind ?? redis
  const ports = await freePorts(8)
  const nodes: RedisServer[] = []
  for (const [index, port] of ports.slice(0, 4).entries()) {
    const bus = ['--cluster-port', String(ports[index + 4]), '--cluster-node-timeout', '500']
    const own = [...toArguments(settingsOf(port, options)), ...(tls ? ['--tls-cluster', 'yes'] : []), ...more]
    nodes.push(await startServer(t, kind, ...own, '--cluster-enabled', 'yes', ...bus))
  }
  const [first, , last, replica] = nodes as [RedisServer, RedisServer, RedisServer, RedisServer]
  const ranges = [
    [0, 5460],
    [5461, 10_922],
    [10_923, 16_383],
  ]
  for (const [index, node] of nodes.entries()) {
    await node.cli('cluster', 'set-config-epoch', String(index + 1))
    const range = ranges[index]
    if (range) await node.cli('cluster', 'addslotsrange', ...range.map(String))
    if (node !== first) await node.cli('cluster', 'meet', '127.0.0.1', String(ports[0]), String(ports[4]))
  }
  const lastId = await last.cli('cluster', 'myid')
  await until('the replica', async () => (await replica.cli('cluster', 'replicate', lastId)) === 'OK')
  for (const node of nodes)
    await until('the cluster', async () => {
      const known = (await node.cli('cluster', 'nodes')).split('\n')
      return (await node.cli('cluster', 'info')).includes('cluster_state:ok') && known.length === 4
    })
  await until('the copy', async () => (await replica.cli('info', 'replication')).includes('master_link_status:up'))
  const cli = async (...words: string[]) =>
    (
      await run(kind.cli, ['-c', ...clientOf(ports[0], options, undefined), ...words], { timeout: 10_000 })
    ).stdout.trim()

  /** Moves the slot of a key from the first node to the second, up to the last step, which is the function that comes. */
  async function move(key: string) {
    const [from, to] = [first, nodes[1] ?? first]
    const [slot, fromId, toId] = [
      await from.cli('cluster', 'keyslot', key),
      await from.cli('cluster', 'myid'),
      await to.cli('cluster', 'myid'),
    ]
    await to.cli('cluster', 'setslot', slot, 'importing', fromId)
    await from.cli('cluster', 'setslot', slot, 'migrating', toId)
    await from.cli('migrate', '127.0.0.1', String(ports[1]), key, '0', '5000')
    return async () => {
      for (const node of [to, from]) await node.cli('cluster', 'setslot', slot, 'node', toId)
    }
  }
  const scheme = tls ? 'rediss' : 'redis'
  return {
    store: `${scheme}+cluster://127.0.0.1:1,${tls ? 'localhost' : '127.0.0.1'}:${ports[0]}`,
    nodes,
    last,
    replica,
    cli,
    move,
    ports,
  }
}
