import { messageOf } from '../../base/errors.ts'
import type { Reading } from '../reading.ts'
import { type DynamicRoute, readRoute } from '../route.ts'
import { readHipacheList } from './hipache.ts'

/** Value of a key. */
export interface KeyValue {
  /** Undefined if the key does not exist. */
  route: Reading<DynamicRoute> | undefined
  /** Value as text. */
  text: string
}

/** Value of a key, and its end. */
export interface KeyContent extends KeyValue {
  /** Time until the key expires; undefined if it does not. */
  remainingMs: number | undefined
}

/** Sends a command to Redis. */
export type Call = (words: readonly string[]) => Promise<unknown>

/** Bytes of a value that are read: a value may have 512 MB. */
const longestValue = 8192
/** Servers of a list that are read. */
const mostServers = 100
const fix = 'store ADDRESS:PORT, or an object in JSON'

/** Content of a key of any type. Rejects if Redis cannot be asked. */
export async function readKey(call: Call, key: string): Promise<KeyContent> {
  const content = await readWithEnd(call, key)
  // the key may have come or gone between the two commands
  return content.route?.ok === false && content.text === '' ? readWithEnd(call, key) : content
}

async function readWithEnd(call: Call, key: string): Promise<KeyContent> {
  const [value, ttl] = await Promise.all([readValue(call, key), call(['PTTL', key])])
  const isEmpty = value.text === '' && value.route === undefined && Number(ttl) !== -2
  return { ...value, ...(isEmpty ? { route: empty } : {}), remainingMs: Number(ttl) >= 0 ? Number(ttl) : undefined }
}

/** The same without its end. */
export async function readValue(call: Call, key: string): Promise<KeyValue> {
  const value = await call(['GETRANGE', key, '0', String(longestValue)]).catch(asWrongType)
  if (value === undefined) return readListKey(call, key)
  const text = String(value)
  // a value that is empty, or a key that does not exist
  if (text === '') return { route: undefined, text }
  return { route: text.length > longestValue ? tooLong : readRoute(text), text }
}

const empty = { ok: false as const, problem: 'is empty', fix }
const tooLong = { ok: false as const, problem: `is longer than ${longestValue} bytes`, fix }

async function readListKey(call: Call, key: string): Promise<KeyValue> {
  const size = await call(['MEMORY', 'USAGE', key]).catch(() => 0)
  const reply =
    Number(size) > longestValue * 4 ? [] : await call(['LRANGE', key, '0', String(mostServers)]).catch(asWrongType)
  const list = Array.isArray(reply) ? reply.map(String) : undefined
  const wrong = { ok: false as const, problem: 'is neither a text nor a list', fix }
  const route = list === undefined ? wrong : list.length === 0 ? tooLong : readHipacheList(list)
  return { route, text: list?.join(' ') ?? '' }
}

/** Undefined for the reply that a key has another type. */
function asWrongType(error: unknown): undefined {
  if (!messageOf(error).startsWith('WRONGTYPE')) throw error
}
