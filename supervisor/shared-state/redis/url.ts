import { formatAddress } from '../../base/address.ts'

/** Address of a server. */
export interface RedisAddress {
  host: string
  port: number
}

/** Server of a Redis store, from its URL. */
export interface RedisUrl {
  /** Where the server is: its own address, Sentinels that know it, or some nodes of a cluster. */
  at:
    | ({ kind: 'address' } & RedisAddress)
    | { kind: 'socket'; path: string }
    | { kind: 'sentinels'; sentinels: readonly RedisAddress[]; master: string }
    | { kind: 'cluster'; nodes: readonly RedisAddress[] }
  isTls: boolean
  username: string | undefined
  password: string | undefined
  database: number | undefined
}

/** Server read from a URL, or the problem with its fix. */
export type RedisUrlReading = { ok: true; value: RedisUrl } | { ok: false; problem: string; fix: string }

const usualPort = 6379
const sentinelPort = 26379
const fix =
  'expected redis://HOST:6379, rediss://HOST:6379 for TLS, unix:/run/redis/redis.sock, redis+sentinel://HOST:26379,HOST:26379/NAME, or redis+cluster://HOST:6379,HOST:6379'

/** Reads the URL of a Redis or Valkey server. Problems never quote it, because it may contain a password. */
export function readRedisUrl(text: string): RedisUrlReading {
  const no = (problem: string) => ({ ok: false as const, problem, fix })
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
    if (!/^\/[^\0]+$/.test(path)) return no('has no absolute path of a socket')
    return { ok: true, value: { ...without, at: { kind: 'socket', path }, isTls: false } }
  }
  const scheme = /^([a-z+]+):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return no('is not a URL')
  const [, family, isTls, kind] = /^(redis|valkey)(s?)(\+sentinel|\+cluster)?$/.exec(scheme) ?? []
  if (family === undefined) return no(`has the unknown scheme ${scheme}`)
  const rest = text.slice(scheme.length + '://'.length)
  const read = kind === undefined ? readAddress : kind === '+sentinel' ? readSentinels : readCluster
  return read(rest, isTls === 's', no)
}

const without = { username: undefined, password: undefined, database: undefined }

type No = (problem: string) => { ok: false; problem: string; fix: string }

function readAddress(rest: string, isTls: boolean, no: No): RedisUrlReading {
  const url = parse(rest)
  if (!url) return no('is not a URL of a server')
  const database = readDatabase(url.pathname.slice(1))
  if (database === null) return no('has no database number after the slash')
  const at = { kind: 'address' as const, host: hostOf(url), port: Number(url.port || usualPort) }
  return { ok: true, value: { at, isTls, database, ...credentialsOf(url) } }
}

function readSentinels(rest: string, isTls: boolean, no: No): RedisUrlReading {
  const [, login = '', list = '', master, number = ''] = /^([^@]*@)?([^/@]+)\/([^/?#]+)(?:\/(\d*))?$/.exec(rest) ?? []
  if (master === undefined) return no('has no name of a master after the Sentinels')
  const sentinels = readList(list, sentinelPort)
  if (!sentinels) return no('has a Sentinel that is not HOST:PORT')
  const credentials = parse(`${login}sentinel`)
  if (!credentials) return no('has no readable user and password')
  const at = { kind: 'sentinels' as const, sentinels, master: decodeURIComponent(master) }
  return { ok: true, value: { at, isTls, database: readDatabase(number) ?? undefined, ...credentialsOf(credentials) } }
}

function readCluster(rest: string, isTls: boolean, no: No): RedisUrlReading {
  const [, login = '', list = '', number = ''] = /^([^@]*@)?([^/@]+)(?:\/(\d*))?$/.exec(rest) ?? []
  const nodes = list === '' ? undefined : readList(list, usualPort)
  if (!nodes) return no('has a node of the cluster that is not HOST:PORT')
  if (Number(number) !== 0) return no('has a database, but clusters only have database 0')
  const credentials = parse(`${login}cluster`)
  if (!credentials) return no('has no readable user and password')
  return {
    ok: true,
    value: { at: { kind: 'cluster', nodes }, isTls, database: undefined, ...credentialsOf(credentials) },
  }
}

/** Addresses in a list; undefined if one of them is not HOST:PORT. */
function readList(list: string, usual: number): RedisAddress[] | undefined {
  const urls = list.split(',').map(parse)
  const addresses = urls.flatMap(url =>
    url && url.pathname === '' ? [{ host: hostOf(url), port: Number(url.port || usual) }] : [],
  )
  return addresses.length === urls.length ? addresses : undefined
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
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
  const listed = (servers: readonly RedisAddress[]) =>
    servers.map(({ host, port }) => formatAddress(host, port)).join(',')
  if (at.kind === 'cluster') return `${scheme}+cluster://${listed(at.nodes)}`
  return `${scheme}+sentinel://${listed(at.sentinels)}/${at.master}`
}
