import { messageOf, OperatorError } from '../../base/errors.ts'
import { type DynamicRoute, routeValue } from '../route.ts'
import type { Call } from './key-reader.ts'

/** Key of a host or wildcard, and whether the prefix is the root key of Traefik's layout, which has no keys with the names of hosts. */
export interface WrittenKey {
  key: string
  isTraefiks: boolean
}

/** Sets the route of a key, or removes the key. Throws an OperatorError if that fails, or if the route belongs to another program. */
export async function writeKey(
  call: Call,
  { key, isTraefiks }: WrittenKey,
  route: DynamicRoute | undefined,
): Promise<void> {
  try {
    if (isTraefiks) throw new Error("its prefix is a root key of Traefik's layout, which monohull only reads")
    const type = String(await call(['TYPE', key]))
    if (type === 'list') throw new Error('it is a list, as Hipache has them, which monohull only reads')
    if (type !== 'none' && type !== 'string') throw new Error(`it is a ${type}, which monohull only reads`)
    if (route === undefined) return void (await call(['DEL', key]))
    const value = routeValue(route)
    await call(['SET', key, typeof value === 'string' ? value : JSON.stringify(value)])
  } catch (error) {
    const reason = messageOf(error)
    throw new OperatorError(`cannot write ${key}: ${reason}`, { fix: fixOf(reason) })
  }
}

function fixOf(reason: string): string {
  if (/^OOM/.test(reason)) return "raise Redis's maxmemory, or remove data from it"
  if (/^READONLY/.test(reason)) return 'name the master in dynamic_routes.store, or its Sentinels'
  if (/^NOPERM/.test(reason)) return 'let this user write keys with the prefix'
  if (/root key/.test(reason))
    return 'change the route with the tool that wrote it, or set a dynamic_routes.prefix that does not end with a slash'
  return /only reads/.test(reason) ? 'change it with the tool that wrote it' : 'see monohull status'
}
