import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { freePorts } from './free-ports.ts'
import { defer, temporaryFolder, until } from './monohull.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

const run = promisify(execFile)

/** A master with a replica, and a Sentinel that makes the replica the master once the master is gone. */
export async function startSentinel(t: TestContext) {
  const [one = 0, two = 0, watcher = 0] = await freePorts(3)
  const on = (port: number) => ['--port', String(port), '--bind', '127.0.0.1', '--repl-diskless-sync-delay', '0']
  const master = await startRedis(t, ...on(one))
  const replica = await startRedis(t, ...on(two), '--replicaof', '127.0.0.1', String(one))
  await until('the replica', async () => (await replica.cli('info', 'replication')).includes('master_link_status:up'))
  const text = `port ${watcher}
bind 127.0.0.1
sentinel monitor main 127.0.0.1 ${one} 1
sentinel down-after-milliseconds main 300
sentinel failover-timeout main 3000
`
  const path = join(temporaryFolder(t, { 'sentinel.conf': text }), 'sentinel.conf')
  const sentinel = spawn('redis-server', [path, '--sentinel'], { stdio: 'ignore' })
  defer(t, async () => {
    const exited = once(sentinel, 'exit')
    sentinel.kill('SIGKILL')
    await exited
  })
  const ask = async (...words: string[]) =>
    (await run('redis-cli', ['-p', String(watcher), 'sentinel', ...words], { timeout: 10_000 })).stdout
  await until('the Sentinel', () =>
    ask('replicas', 'main').then(
      text => text.includes(String(two)) && text.includes('master-link-status\nok'),
      () => false,
    ),
  )
  return { store: `redis+sentinel://127.0.0.1:1,127.0.0.1:${watcher}/main`, master, replica, ask }
}

/** A cluster of three masters, of which the last has a replica; `cli` finds the one of a key. */
export async function startCluster(t: TestContext) {
  const ports = await freePorts(8)
  const nodes: RedisServer[] = []
  for (const [index, port] of ports.slice(0, 4).entries()) {
    const bus = ['--cluster-port', String(ports[index + 4]), '--cluster-node-timeout', '500']
    nodes.push(await startRedis(t, '--port', String(port), '--bind', '127.0.0.1', '--cluster-enabled', 'yes', ...bus))
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
    (await run('redis-cli', ['-c', '-p', String(ports[0]), ...words], { timeout: 10_000 })).stdout.trim()

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
  return { store: `redis+cluster://127.0.0.1:1,127.0.0.1:${ports[0]}`, nodes, last, replica, cli, move }
}
