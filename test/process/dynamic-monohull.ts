import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Outcome } from '../../supervisor/base/outcome.ts'
import { askAdmin } from '../../supervisor/run/adapters/admin-client.ts'
import {
  defer,
  fixture,
  type Monohull,
  type RequestOptions,
  type StartOptions,
  startMonohull,
  temporaryFolder,
} from './monohull.ts'

/** The host that the configuration names. */
export const main = 'www.example.com'
/** One that it does not. */
export const shop = 'shop.example.com'

const betweenMs = 10
const home = new URL('../../', import.meta.url).pathname

/** `more`: further lines of the configuration. */
export interface DynamicOptions extends StartOptions {
  more?: string
  program?: string
}

/** The configuration: two apps that tell who they are, one of them for `main`. */
export function configuration({ more = '', program = 'who.cjs' }: DynamicOptions = {}): string {
  const app = (name: string, workers: number) =>
    `  ${name}: { command: [node, ${fixture(program)}], workers: ${workers}, env: { NAME: ${name} } }\n`
  return `https: on\nserver_names: [${main}]\ndynamic_routes: { store: file }\n${more}apps:\n${app('web', 2)}${app('other', 1)}`
}

/** One with dynamic routes. */
export async function startDynamic(t: TestContext, options: DynamicOptions = {}): Promise<Monohull> {
  const folder = options.folder ?? temporaryFolder(t, { 'monohull.yaml': configuration(options), ...options.files })
  // a variable would be about one app
  const env = { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined, NODE_PATH: `${home}node_modules` }
  const monohull = startMonohull(t, { folder, env: { ...env, ...options.env } })
  await monohull.serving()
  return monohull
}

/** Has it do something with its routes; what comes is what the admin API answers. */
export async function post(monohull: Monohull, path: string): Promise<Outcome> {
  return (await askAdmin(join(monohull.folder, 'run/admin.sock'), { method: 'POST', path: `/routes/${path}` }))
    .body as Outcome
}

/** Sets a route, and expects it to be taken. */
export async function setRoute(monohull: Monohull, target: string, host = shop): Promise<void> {
  const outcome = await post(monohull, `${host}/set?target=${encodeURIComponent(target)}`)
  if (!outcome.ok) throw new Error(outcome.reason)
}

/** The name of the app that answers for a host, or the status. */
export async function who(monohull: Monohull, host = shop, options: RequestOptions = {}): Promise<string> {
  const { status, body } = await monohull.request({ ...options, headers: { host, ...options.headers } })
  return status === 200 ? JSON.parse(body).name : String(status)
}

/** Where the routes are kept. */
export const storeOf = ({ folder }: Monohull) => join(folder, 'state/routes.json')

/** What is kept. */
export const readStore = (monohull: Monohull) => readFileSync(storeOf(monohull), 'utf8')

/** Runs the command line for an instance. */
export async function tell(t: TestContext, monohull: Monohull, ...args: string[]) {
  const folder = temporaryFolder(t)
  const told = startMonohull(t, { folder, args, env: { MONOHULL_RUN_DIR: join(monohull.folder, 'run') } })
  return { code: await told.exited, output: told.output() }
}

/** Asks for a host over several connections all the time, until it is told to end; the answers and how often they came. */
export function keepAsking(t: TestContext, monohull: Monohull, host = shop) {
  const answers = new Map<string, number>()
  let isOver = false
  const asking = Array.from({ length: 4 }, async (_, index) => {
    while (!isOver) {
      const options = index % 2 ? { method: 'POST', body: 'x' } : {}
      const answer = await who(monohull, host, options).catch((error: Error) => error.message)
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
      // as many as possible would take the CPU from what is tested
      await pause(betweenMs)
    }
  })
  async function end() {
    isOver = true
    await Promise.all(asking)
    return [...answers.keys()].sort()
  }
  defer(t, end)
  return { answers, end }
}
