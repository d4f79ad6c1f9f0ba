import { formatAddress } from '../../base/address.ts'
import { messageOf } from '../../base/errors.ts'
import { slotOf } from './key-slot.ts'
import type { ChangeChannel, RedisLink } from './link.ts'
import type { RedisAddress } from './url.ts'

/** Slots of a cluster that a master serves. */
export interface SlotRange {
  first: number
  last: number
  master: RedisAddress
}

const channels: readonly ChangeChannel[] = ['polling', 'notifications', 'tracking']

/** Slots in the reply to `CLUSTER SLOTS`. `host`: the node that was asked, which stands for one without a name. */
export function readSlots(reply: unknown, host: string): SlotRange[] {
  return (reply as [number, number, [string | null, number]][]).map(([first, last, [name, port]]) => ({
    first,
    last,
    master: { host: !name || name === '?' ? host : String(name), port },
  }))
}

/** Masters that serve slots, each once. */
export function mastersOf(ranges: readonly SlotRange[]): RedisAddress[] {
  return [...new Map(ranges.map(({ master }) => [addressOf(master), master])).values()]
}

/** Whether a cluster, or the only slot that is used in it, is out of service. */
function isDown(error: unknown, prefix: string): boolean {
  const isOneSlot = /\{[^}]+\}/.test(prefix)
  return (isOneSlot ? /^CLUSTERDOWN|^no server for slot/ : /^CLUSTERDOWN The cluster is down/).test(messageOf(error))
}

/**
 * Link to a cluster, made of a link to each master by its address: each has a part of the keys, and reports only their changes. Commands go to
 * the master of their key. Slots may move between the masters; the check fails if a master is added or removed, and while the cluster is down.
 * `prefix`: that of all keys.
 */
export function createClusterLink(
  links: ReadonlyMap<string, RedisLink>,
  ranges: readonly SlotRange[],
  prefix: string,
): RedisLink {
  const nodes = [...links.values()]
  const hosts = new Map(mastersOf(ranges).map(master => [addressOf(master), master.host]))
  let owners = ownersOf(ranges)
  let turn = 0

  async function callNode(address: string, words: readonly string[]): Promise<unknown> {
    const link = links.get(address)
    if (!link) throw new Error(`no connection to ${address} of the cluster`)
    try {
      return await link.call(words)
    } catch (error) {
      const [, kind, slot, next = ''] = /^(MOVED|ASK) (\d+) (\S*:\d+)$/.exec(messageOf(error)) ?? []
      const to = withBrackets(next, hosts.get(address))
      const other = links.get(to)
      if (kind === undefined || !other) throw error
      if (kind === 'MOVED') owners[Number(slot)] = to
      else other.call(['ASKING']).catch(() => {})
      return other.call(words)
    }
  }

  async function callKey(key: string, words: readonly string[]): Promise<unknown> {
    const slot = slotOf(key)
    const owner = owners[slot]
    if (owner === undefined) throw new Error(`no server for slot ${slot}`)
    return callNode(owner, words)
  }

  const callEachKey = (name: string, keys: readonly string[]) => Promise.all(keys.map(key => callKey(key, [name, key])))

  /** One node after the other. The cursor is the number of the node, and its cursor there. */
  async function scan(cursor: string, words: readonly string[]): Promise<unknown> {
    const [start = '0', inner = '0'] = cursor.split(':')
    const index = Number(start)
    const node = nodes[index]
    if (!node) return ['0', []]
    const [next, keys] = (await node.call(['SCAN', inner, ...words])) as [unknown, unknown]
    if (String(next) !== '0') return [`${index}:${next}`, keys]
    return [index + 1 < nodes.length ? `${index + 1}:0` : '0', keys]
  }

  async function call(words: readonly string[]): Promise<unknown> {
    const [name = '', ...others] = words
    const [first = '', second = '', third = ''] = others
    if (name === 'SCAN') return scan(first, others.slice(1))
    if (name === 'DBSIZE') return sum(await Promise.all(nodes.map(node => node.call(words))))
    if (name === 'EXISTS') return sum(await callEachKey(name, others))
    if (name === 'MGET') return (await callEachKey(name, others)).flat()
    if (name === 'EVAL') return callKey(third, words)
    return callKey(name === 'MEMORY' ? second : first, words)
  }

  return {
    channel: channels.find(channel => nodes.some(node => node.channel === channel)) ?? 'polling',
    runId: nodes
      .map(({ runId }) => runId)
      .sort()
      .join(' '),
    call,
    async check() {
      // not always the same, which might be the one that is cut off
      turn = (turn + 1) % nodes.length
      const [address = ''] = [...links.keys()].slice(turn)
      const [reply] = await Promise.all([
        links.get(address)?.call(['CLUSTER', 'SLOTS']),
        ...nodes.map(node => node.check()),
      ])
      const now = readSlots(reply, hosts.get(address) ?? '')
      const masters = mastersOf(now).map(addressOf)
      if (masters.length !== links.size || !masters.every(master => links.has(master)))
        throw new Error('the masters of the cluster have changed')
      owners = ownersOf(now)
      await callKey(prefix, ['EXISTS', prefix]).catch((error: unknown) => {
        if (isDown(error, prefix)) throw error
      })
    },
    close() {
      for (const node of nodes) node.close()
    },
  }
}

/** Addresses by slot. */
function ownersOf(ranges: readonly SlotRange[]): string[] {
  const owners: string[] = []
  for (const { first, last, master } of ranges)
    for (let slot = first; slot <= last; slot++) owners[slot] = addressOf(master)
  return owners
}

function addressOf({ host, port }: RedisAddress): string {
  return formatAddress(host, port)
}

/** Redirections have IPv6 addresses without brackets, and no host if it is that of the server itself. */
function withBrackets(text: string, ownHost = ''): string {
  const colon = text.lastIndexOf(':')
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '')
  return addressOf({ host: host || ownHost, port: Number(text.slice(colon + 1)) })
}

function sum(numbers: readonly unknown[]): number {
  return numbers.reduce<number>((total, number) => total + Number(number), 0)
}
