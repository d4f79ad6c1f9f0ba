import { inBatches } from '../../base/batches.ts'
import type { DynamicRoute } from '../route.ts'
import type { Call } from './key-reader.ts'
import type { Rejections } from './rejections.ts'
import { scanKeys } from './scan.ts'
import { readTraefikKeys, type TraefikRoutes } from './traefik.ts'

/** Routes of Traefik's layout below a prefix such as `traefik/`, in memory: there, no key names a host. */
export interface TraefikIndex {
  /** Whether the prefix is a root key. */
  readonly isUsed: boolean
  /** Reads all keys again. */
  load(call: Call): Promise<void>
  /** Reads keys that have changed; the hosts whose route may have changed with them. */
  update(call: Call, keys: readonly string[]): Promise<string[]>
  /** Whether a key belongs to the layout. */
  has(key: string): boolean
  /** All keys of the layout. */
  keys(): string[]
  find(name: string): DynamicRoute | undefined
  routes(): ReadonlyMap<string, DynamicRoute>
}

const atOnce = 500

/** Empty index. It stays empty unless the prefix ends with a slash, as Traefik's do. */
export function createTraefikIndex(prefix: string, rejections: Rejections): TraefikIndex {
  const isUsed = prefix.endsWith('/')
  let entries = new Map<string, string>()
  let found: TraefikRoutes = { routes: new Map(), ignored: new Map() }

  async function read(call: Call, keys: readonly string[]): Promise<[string, string | undefined][]> {
    const values = await call(['MGET', ...keys])
    return keys.map((key, index) => [key, (values as (string | null)[])[index] ?? undefined])
  }

  function build(): void {
    const before = found.ignored
    found = readTraefikKeys(entries)
    const keyOf = (name: string) => `${prefix}http/routers/${name}`
    for (const name of before.keys()) if (!found.ignored.has(name)) rejections.clear(keyOf(name))
    for (const [name, problem] of found.ignored) rejections.note(keyOf(name), '', problem)
  }

  function store(key: string, value: string | undefined): void {
    if (value === undefined) entries.delete(key.slice(prefix.length))
    else entries.set(key.slice(prefix.length), value)
  }

  return {
    isUsed,
    async load(call) {
      if (!isUsed) return
      entries = new Map()
      for await (const keys of scanKeys(call, `${prefix}http/`, '*'))
        for (const [key, value] of await read(call, keys)) store(key, value)
      build()
    },
    async update(call, keys) {
      if (keys.length === 0) return []
      for (const batch of inBatches([...keys], atOnce))
        for (const [key, value] of await read(call, batch)) store(key, value)
      const before = found.routes
      build()
      const hosts = new Set([...before.keys(), ...found.routes.keys()])
      const textOf = (route: DynamicRoute | undefined) => JSON.stringify(route)
      return [...hosts].filter(host => textOf(before.get(host)) !== textOf(found.routes.get(host)))
    },
    has: key => isUsed && key.startsWith(`${prefix}http/`),
    keys: () => [...entries.keys()].map(key => prefix + key),
    find: name => found.routes.get(name),
    routes: () => found.routes,
  }
}
