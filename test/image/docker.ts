import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after } from 'node:test'
import { promisify } from 'node:util'
import { ask } from './ask.ts'

const run = promisify(execFile)

/** Root of the repository. */
export const repository = new URL('../../', import.meta.url).pathname

/** Whether test/run.sh has built the image, and removes in the end what bears its label. */
const isPartOfRun = process.env.TEST_RUN_LABEL !== undefined

// a test file that is run by hand may come after a change of a source
if (!isPartOfRun) execFileSync(`${repository}test/image/build.sh`, { stdio: ['ignore', 'ignore', 'inherit'] })

/** The image under test. */
export const image = 'monohull:test'

/** Where what a test has made is removed again: the test's context, or `ownerOfSuite()`. */
export interface Owner {
  after(remove: () => Promise<void>): void
}

/** The owner of what a suite's `before` makes; called in the describe itself. */
export function ownerOfSuite(): Owner {
  const removals: (() => Promise<void>)[] = []
  after(async () => {
    for (const remove of removals.reverse()) await remove()
  })
  return { after: remove => void removals.push(remove) }
}

export interface Ended {
  code: number
  stdout: string
  stderr: string
}

/** Runs docker, with `input` on its stdin; a non-zero exit is an outcome. */
export function tryDocker(args: readonly string[], input = ''): Promise<Ended> {
  return tryToRun('docker', args, input)
}

async function tryToRun(program: string, args: readonly string[], input: string): Promise<Ended> {
  const running = run(program, args, { maxBuffer: 64 << 20, env: { ...process.env, DOCKER_BUILDKIT: '0' } })
  // docker may end before it has read its stdin
  running.child.stdin?.on('error', () => {}).end(input)
  try {
    return { code: 0, ...(await running) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string }
    if (typeof code !== 'number') throw error
    return { code, stdout: stdout ?? '', stderr: stderr ?? '' }
  }
}

/** Runs docker and gives what it prints; throws when it fails. */
export async function docker(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await tryDocker(args, input)
  if (code !== 0) throw new Error(`docker ${args.join(' ')} exited with ${code}: ${stderr}`)
  return stdout.trim()
}

/** What containers and images of this run bear, so that test/run.sh finds them. */
export const labelOfRun = `monohull.test=${process.env.TEST_RUN_LABEL ?? 'by-hand'}`

const label = ['--label', labelOfRun]

/** `docker run` to the end, as a command: its exit code and what it printed. */
export function runToEnd(args: string[], command: string[] = [], ofImage = image): Promise<Ended> {
  return tryDocker(['run', '--rm', ...label, ...args, ofImage, ...command])
}

/** A Dockerfile whose stages begin with the image under test in place of `monohull`. */
export function fromImageUnderTest(dockerfile: string): string {
  return dockerfile.replace(/^FROM monohull( AS \w+)?$/gm, `FROM ${image}$1`)
}

/**
 * Builds an image from a folder whose Dockerfile is as a user would write it: `FROM monohull`. It stays until the run is over, for
 * others build the same, or begin with the same packages.
 */
export async function buildFrom(
  owner: Owner,
  folder: string,
  { tag, options = [] }: { tag: string; options?: readonly string[] },
): Promise<string> {
  const path = `${folder}/Dockerfile`
  const words = ['build', '--quiet', ...label, ...options, '--tag', tag, '--file', '-', folder]
  // who wants the same at the same time waits, and finds it in the cache
  const { code, stderr } = await tryToRun(
    'flock',
    [path, 'docker', ...words],
    fromImageUnderTest(readFileSync(path, 'utf8')),
  )
  if (code !== 0) throw new Error(`docker ${words.join(' ')} exited with ${code}: ${stderr}`)
  if (!isPartOfRun)
    owner.after(async () => {
      await docker(['rmi', '--force', tag])
    })
  return tag
}

/** Builds an image from a fixture. */
export function buildDerived(owner: Owner, fixture: string): Promise<string> {
  return buildFrom(owner, `${repository}test/fixtures/image/${fixture}`, {
    tag: `monohull-derived:${fixture}-${process.pid}`,
  })
}

/** Builds an image from one of examples/. */
export function buildExample(owner: Owner, example: string): Promise<string> {
  return buildFrom(owner, `${repository}examples/${example}`, { tag: `monohull-example:${example}-${process.pid}` })
}

/** Each look may start a docker command, which takes a good part of a core. */
const pollMs = 100

/** Polls until `check` gives something; throws, with what was waited for, at the deadline. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  deadlineMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const result = await check()
    if (result !== undefined && result !== false) return result
    if (Date.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, pollMs))
  }
}

export interface ContainerOptions {
  /** Options of docker run. */
  args?: string[]
  /** What stands after the image. */
  command?: string[]
  image?: string
  /** Ports inside the container. */
  httpPort?: number
  httpsPort?: number
  /** False: the caller looks itself at what becomes of it. */
  waits?: boolean
}

/** A process as the host sees it. */
export interface HostProcess {
  pid: number
  parent: number
  uid: number
  command: string
}

export interface Container {
  readonly id: string
  /** Origin on the host, such as http://127.0.0.1:32768. */
  http(): Promise<string>
  https(): Promise<string>
  logs(): Promise<string>
  inspect(format: string): Promise<string>
  exec(...command: string[]): Promise<Ended>
  processes(): Promise<HostProcess[]>
  /** Signals a process in the container; default: the supervisor. */
  signal(name: string): Promise<void>
  waitUntilReady(): Promise<void>
  /** Settles with the exit code. */
  ended(deadlineMs?: number): Promise<number>
}

/** `docker run --detach`, ports published on 127.0.0.1; ready when this settles; removed with its owner. */
export async function startContainer(owner: Owner, options: ContainerOptions = {}): Promise<Container> {
  const { args = [], command = [], httpPort = 80, httpsPort = 443, waits = true } = options
  const publish = ['--publish', `127.0.0.1::${httpPort}`, '--publish', `127.0.0.1::${httpsPort}`]
  const id = await docker(['run', '--detach', ...label, ...publish, ...args, options.image ?? image, ...command])
  owner.after(async () => {
    await docker(['rm', '--force', '--volumes', id])
  })
  const inspect = (format: string) => docker(['inspect', '--format', format, id])
  // changes with docker restart
  const origin = async (scheme: string, port: number) =>
    `${scheme}://${(await docker(['port', id, `${port}/tcp`])).split('\n')[0]}`
  const logs = async () => {
    const { stdout, stderr } = await tryDocker(['logs', id])
    return stdout + stderr
  }
  const container: Container = {
    id,
    http: () => origin('http', httpPort),
    https: () => origin('https', httpsPort),
    logs,
    inspect,
    exec: (...words) => tryDocker(['exec', id, ...words]),
    async processes() {
      const lines = (await docker(['top', id, '-eo', 'pid,ppid,uid,args'])).split('\n').slice(1)
      return lines.map(line => {
        const [pid, parent, uid, ...words] = line.trim().split(/\s+/)
        return { pid: Number(pid), parent: Number(parent), uid: Number(uid), command: words.join(' ') }
      })
    },
    async signal(name) {
      const script = `process.kill(JSON.parse(require('fs').readFileSync('/run/monohull/instance.json')).supervisor.pid, '${name}')`
      const { code, stderr } = await tryDocker(['exec', id, 'node', '-e', script])
      // 137: docker exec ended together with the container
      if (code !== 0 && code !== 137) throw new Error(`cannot send ${name}: ${stderr}`)
    },
    async waitUntilReady() {
      const ready = async (at: string) => (await ask(`${at}/readyz`).catch(() => undefined))?.status === 200
      await until('the container answers 200 at /readyz', async () => {
        if ((await inspect('{{.State.Running}}')) !== 'true') throw new Error(`the container ended:\n${await logs()}`)
        const at = await origin('http', httpPort)
        // several looks with one question to docker
        return until('200', () => ready(at), 2000).catch(() => undefined)
      }).catch(async error => {
        throw new Error(`${error.message}\n${await logs()}`)
      })
    },
    ended: deadlineMs =>
      until('the container ends', async () => (await inspect('{{.State.Status}}')) === 'exited', deadlineMs).then(
        async () => Number(await inspect('{{.State.ExitCode}}')),
      ),
  }
  if (waits) await container.waitUntilReady()
  return container
}
