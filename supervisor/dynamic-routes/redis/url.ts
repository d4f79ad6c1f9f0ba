import { formatAddress } from '../../base/address.ts'
import type { Reading } from '../reading.ts'

/** Server of a Redis store, from its URL. */
export interface RedisUrl {
  /** Where the server is: its own address, or Sentinels that know it. */
  at:
    | { kind: 'address'; host: string; port: number }
    | { kind: 'socket'; path: string }
    | { kind: 'sentinels'; sentinels: readonly { host: string; port: number }[]; master: string }
  isTls: boolean
  username: string | undefined
  password: string | undefined
  database: number | undefined
}

const usualPort = 6379
const sentinelPort = 26379
const fix =
  'expected redis://HOST:6379, rediss://HOST:6379 for TLS, unix:/run/redis/redis.sock, or redis+sentinel://HOST:26379,HOST:26379/NAME'

/** Reads the URL of a Redis store. Problems never quote it, because it may contain a password. */
export function readRedisUrl(text: string): Reading<RedisUrl> {
  const no = (problem: string) => ({ ok: false as const, problem, fix })
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
    if (!/^\/[^\0]+$/.test(path)) return no('has no absolute path of a socket')
    return { ok: true, value: { ...without, at: { kind: 'socket', path }, isTls: false } }
  }
  const scheme = /^([a-z+]+):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return no('is not file and not a URL')
  if (/^(redis|valkey)s?\+cluster$/.test(scheme))
    return no('names a cluster, which is not supported: its nodes do not report changes of each other')
  const [, family, isTls, hasSentinels] = /^(redis|valkey)(s?)(\+sentinel)?$/.exec(scheme) ?? []
  if (family === undefined) return no(`has the unknown scheme ${scheme}`)
  const rest = text.slice(scheme.length + '://'.length)
  return hasSentinels === undefined ? readAddress(rest, isTls === 's', no) : readSentinels(rest, isTls === 's', no)
}

const without = { username: undefined, password: undefined, database: undefined }

type No = (problem: string) => { ok: false; problem: string; fix: string }

function readAddress(rest: string, isTls: boolean, no: No): Reading<RedisUrl> {
  const url = parse(rest)
  if (!url) return no('is not a URL of a server')
  const database = readDatabase(url.pathname.slice(1))
  if (database === null) return no('has no database number after the slash')
  const { hostname, port } = url
  const at = { kind: 'address' as const, host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || usualPort) }
  return { ok: true, value: { at, isTls, database, ...credentialsOf(url) } }
}

function readSentinels(rest: string, isTls: boolean, no: No): Reading<RedisUrl> {
  const [, login = '', list = '', master, number = ''] = /^([^@]*@)?([^/@]+)\/([^/?#]+)(?:\/(\d*))?$/.exec(rest) ?? []
  if (master === undefined) return no('has no name of a master after the Sentinels')
  const urls = list.split(',').map(parse)
  const sentinels = urls.flatMap(url =>
    url && url.pathname === ''
      ? [{ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || sentinelPort) }]
      : [],
  )
  if (sentinels.length !== urls.length) return no('has a Sentinel that is not HOST:PORT')
  const credentials = parse(`${login}sentinel`)
  if (!credentials) return no('has no readable user and password')
  const at = { kind: 'sentinels' as const, sentinels, master: decodeURIComponent(master) }
  return { ok: true, value: { at, isTls, database: readDatabase(number) ?? undefined, ...credentialsOf(credentials) } }
}

/** Undefined for none, null for one that is not a number. */
function readDatabase(text: string): number | undefined | null {
  if (text === '') return undefined
  return /^\d{1,5}$/.test(text) ? Number(text) : null
}

function credentialsOf({ username, password }: URL): Pick<RedisUrl, 'username' | 'password'> {
  return {
    username: username === '' ? undefined : decodeURIComponent(username),
    password: password === '' ? undefined : decodeURIComponent(password),
  }
}

function parse(rest: string): URL | undefined {
  try {
    const url = new URL(`redis://${rest}`)
    decodeURIComponent(url.username + url.password)
    return url.hostname === '' || url.search !== '' || url.hash !== '' ? undefined : url
  } catch {
    return undefined // not a URL
  }
}

/** The server of a URL without its login, for messages. */
export function formatRedisUrl({ at, isTls }: RedisUrl): string {
  if (at.kind === 'socket') return `unix:${at.path}`
  const scheme = isTls ? 'rediss' : 'redis'
  if (at.kind === 'address') return `${scheme}://${formatAddress(at.host, at.port)}`
  const sentinels = at.sentinels.map(({ host, port }) => formatAddress(host, port)).join(',')
  return `${scheme}+sentinel://${sentinels}/${at.master}`
}
