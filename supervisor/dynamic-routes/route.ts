import { formatDuration, parseDuration } from '../base/duration.ts'
import { nginxSize, parseSize } from '../base/size.ts'
import { findBadPassword } from '../front/password-file.ts'
import type { Reading } from './reading.ts'
import { type DynamicTarget, formatTarget, readRouteTarget } from './target.ts'

/** Route of a host. */
export interface DynamicRoute {
  /** At least one; no two are equal. */
  targets: readonly WeightedTarget[]
  /** Whether a visitor stays with one of several targets, by a cookie. */
  isSticky: boolean
  /** Maximum body size in bytes, 0: unlimited; undefined: that of the whole front. */
  maxBodyBytes: number | undefined
  /** Time without data after which a response from an address counts as failed; undefined: nginx's default of 60 s. */
  readTimeoutMs: number | undefined
  /** Lines of an htpasswd file, `NAME:HASH`, in place of the basic_auth of the whole front; empty: no passwords of its own. */
  users: readonly string[]
}

/** Target with its share of the requests. */
export interface WeightedTarget {
  target: DynamicTarget
  /** From 1 to 999. */
  weight: number
}

const mostTargets = 32
const mostUsers = 32
const mostUserLength = 256
const longestTimeoutMs = 86_400_000
const keys = ['targets', 'sticky', 'max_body_size', 'read_timeout', 'basic_auth']
const no = (problem: string, fix: string) => ({ ok: false as const, problem, fix })
const valueFix =
  'write "10.0.0.2:5000", "10.0.0.2:5000 10.0.0.3:5000 weight=2", or {"targets": ["10.0.0.2:5000"], "sticky": true}'

/**
 * Route from a value in a store: `web`, `10.0.0.2:5000 10.0.0.3:5000 weight=2`, or the object
 * `{"targets": […], "sticky": true, "max_body_size": "20m", "read_timeout": "5m", "basic_auth": ["NAME:HASH"]}`, parsed or in JSON. A problem
 * follows the name of the value, and contains nothing of `basic_auth`.
 */
export function readRoute(value: unknown): Reading<DynamicRoute> {
  if (typeof value !== 'string') return readObject(value)
  if (!value.trimStart().startsWith('{')) {
    const targets = readTargets(value)
    return targets.ok ? { ok: true, value: plainRoute(targets.value) } : targets
  }
  try {
    return readObject(JSON.parse(value))
  } catch {
    return no('is not valid JSON', valueFix)
  }
}

/** Route to targets without settings. */
function plainRoute(targets: readonly WeightedTarget[]): DynamicRoute {
  return { targets, isSticky: false, maxBodyBytes: undefined, readTimeoutMs: undefined, users: [] }
}

/** Value for a store, as `readRoute` reads it: a text if the route has no settings. */
export function routeValue(route: DynamicRoute): string | Record<string, unknown> {
  const { targets, isSticky, maxBodyBytes, readTimeoutMs, users } = route
  const texts = targets.map(({ target, weight }) => `${formatTarget(target)}${weight === 1 ? '' : ` weight=${weight}`}`)
  const settings = {
    ...(isSticky ? { sticky: true } : {}),
    ...(maxBodyBytes === undefined ? {} : { max_body_size: formatBody(maxBodyBytes) }),
    ...(readTimeoutMs === undefined ? {} : { read_timeout: formatTimeout(readTimeoutMs) }),
    ...(users.length > 0 ? { basic_auth: users } : {}),
  }
  return Object.keys(settings).length === 0 ? texts.join(' ') : { targets: texts, ...settings }
}

/** Text of a route for messages and lists, without passwords: `10.0.0.2:80 10.0.0.3:80 weight=2, sticky, 2 users`. */
export function formatRoute(route: DynamicRoute): string {
  const { isSticky, maxBodyBytes, readTimeoutMs, users } = route
  return [
    routeValue(plainRoute(route.targets)),
    ...(isSticky ? ['sticky'] : []),
    ...(maxBodyBytes === undefined ? [] : [`max_body_size ${formatBody(maxBodyBytes)}`]),
    ...(readTimeoutMs === undefined ? [] : [`read_timeout ${formatTimeout(readTimeoutMs)}`]),
    ...(users.length > 0 ? [`${users.length} ${users.length === 1 ? 'user' : 'users'}`] : []),
  ].join(', ')
}

function formatBody(bytes: number): string {
  if (bytes === 0) return 'off'
  const text = nginxSize(bytes)
  // a size needs a unit
  return parseSize(text) === undefined ? `${(bytes / 1024).toFixed(9)}k` : text
}

/** Exact, unlike `formatDuration` with its one decimal. */
function formatTimeout(ms: number): string {
  return ms % 1000 === 0 ? formatDuration(ms) : `${ms}ms`
}

function readTargets(text: string): Reading<WeightedTarget[]> {
  const targets: WeightedTarget[] = []
  let isWeighted = true
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const weight = /^weight=([1-9]\d{0,2})$/.exec(word)?.[1]
    const last = targets.at(-1)
    if (weight !== undefined && last && !isWeighted) {
      last.weight = Number(weight)
      isWeighted = true
      continue
    }
    if (word.startsWith('weight='))
      return no('has a weight that is not one number from 1 to 999 after a target', valueFix)
    const reading = readRouteTarget(word)
    if (!reading.ok) return targets.length === 0 && text.trim() === word ? reading : prefix(shown(word), reading)
    targets.push({ target: reading.value, weight: 1 })
    isWeighted = false
  }
  if (targets.length === 0) return no('is not a valid target', valueFix)
  if (targets.length > mostTargets)
    return no(`has more than ${mostTargets} targets`, 'use an upstream, or fewer targets')
  const texts = targets.map(({ target }) => formatTarget(target))
  const twice = texts.find((one, index) => texts.indexOf(one) < index)
  if (twice !== undefined) return no(`names ${twice} twice`, 'name it once, with a weight')
  return { ok: true, value: targets }
}

function readObject(value: unknown): Reading<DynamicRoute> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return no('is not a valid target', valueFix)
  const unknown = Object.keys(value).find(key => !keys.includes(key))
  if (unknown !== undefined) return no(`has the unknown key ${shown(unknown)}`, `use ${keys.join(', ')}`)
  const { targets: list, sticky, max_body_size, read_timeout, basic_auth } = value as Record<string, unknown>
  const words = Array.isArray(list) ? list : [list]
  if (!words.every(word => typeof word === 'string')) return no('has targets that are not texts', valueFix)
  const targets = readTargets(words.join(' '))
  if (!targets.ok) return targets
  if (sticky !== undefined && typeof sticky !== 'boolean')
    return no('has a value of sticky that is not true or false', 'write true or false')
  const maxBodyBytes = max_body_size === 'off' ? 0 : parseText(max_body_size, parseSize)
  if (max_body_size !== undefined && (maxBodyBytes === undefined || maxBodyBytes > Number.MAX_SAFE_INTEGER))
    return no('has an invalid max_body_size', 'write a size such as "20m", or "off"')
  const readTimeoutMs = parseText(read_timeout, parseDuration)
  if (read_timeout !== undefined && !(Number(readTimeoutMs) >= 1 && Number(readTimeoutMs) <= longestTimeoutMs))
    return no('has an invalid read_timeout', 'write a duration such as "30s" or "5m", of at most "1d"')
  const users = readUsers(basic_auth)
  if (!users.ok) return users
  return {
    ok: true,
    value: { targets: targets.value, isSticky: sticky === true, maxBodyBytes, readTimeoutMs, users: users.value },
  }
}

function readUsers(value: unknown): Reading<readonly string[]> {
  if (value === undefined) return { ok: true, value: [] }
  const fix = 'write a list of lines of an htpasswd file, as htpasswd -nB NAME prints them'
  if (!Array.isArray(value) || value.length === 0 || value.length > mostUsers)
    return no(`has a basic_auth that is not a list of 1 to ${mostUsers} users`, fix)
  // one line each, and only characters that a hash or the name in an Authorization header can have
  const isLine = (user: unknown) => typeof user === 'string' && /^[^\s:#][^\p{Cc}:]*:[\x21-\x7e]+$/u.test(user)
  const bad = value.findIndex(user => !isLine(user) || user.length > mostUserLength)
  if (bad !== -1) return no(`has no NAME:HASH in entry ${bad + 1} of basic_auth`, fix)
  const problem = findBadPassword(value.join('\n'))
  return problem === undefined ? { ok: true, value } : no(`has a basic_auth that ${problem}`, fix)
}

function parseText<T>(value: unknown, parse: (text: string) => T | undefined): T | undefined {
  return typeof value === 'string' ? parse(value) : undefined
}

function prefix(word: string, { problem, fix }: { problem: string; fix: string }) {
  return no(`has the target ${word}, which ${problem}`, fix)
}

function shown(text: string): string {
  const printable = text.replace(/[^\x21-\x7e]/g, '?')
  return printable.length > 60 ? `${printable.slice(0, 60)}…` : printable
}
