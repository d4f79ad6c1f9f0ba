import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import type { Child, Spawn, SpawnSpec } from '../../supervisor/processes/child.ts'
import type { Exit } from '../../supervisor/processes/exit.ts'
import type { SlotSockets } from '../../supervisor/processes/sockets.ts'

type Errno = 'EMFILE' | 'ENOSPC' | 'EAGAIN' | 'EACCES' | 'EROFS'

/** What Node throws when a system call fails. */
export function systemError(code: Errno, call: string): NodeJS.ErrnoException {
  const errno = -constants.errno[code]
  const [, description] = getSystemErrorMap().get(errno) ?? []
  return Object.assign(new Error(`${code}: ${description}, ${call}`), { code, errno, syscall: call })
}

/** A process that ends at the first signal that would end one, or when a test says so. */
export interface FakeChild extends Child {
  spec: SpawnSpec
  signals: NodeJS.Signals[]
  isAlive(): boolean
  exit(exit?: Exit): void
  /** From now on, it does not end at this signal. */
  ignore(signal: NodeJS.Signals): void
  /** Writes to its notify descriptor. */
  notify(word: string, value: string): void
}

/** A system that starts processes, binds sockets and changes links, or refuses to. */
export interface RefusingSystem {
  spawn: Spawn
  sockets: SlotSockets
  children: FakeChild[]
  /** What each call throws from now on; undefined: nothing. */
  refuse: { spawn?: Error | undefined; bind?: Error | undefined; point?: Error | undefined }
  /** Those that run now, by name: `app.1`. */
  alive(name?: string): FakeChild[]
  /** Where each link leads. */
  links: ReadonlyMap<string, string>
  /** Paths of sockets that are bound. */
  bound(): string[]
}

export function createRefusingSystem(): RefusingSystem {
  const refuse: RefusingSystem['refuse'] = {}
  const children: FakeChild[] = []
  const links = new Map<string, string>()
  const sockets = new Set<{ path: string }>()
  let ports = 40_000

  function refuseWhenAsked(call: keyof typeof refuse): void {
    if (refuse[call]) throw refuse[call]
  }

  return {
    refuse,
    children,
    links,
    alive: name => children.filter(child => child.isAlive() && (name === undefined || child.spec.name === name)),
    bound: () => [...sockets].map(({ path }) => path),
    spawn(spec) {
      refuseWhenAsked('spawn')
      const child = createFakeChild(1000 + children.length, spec)
      children.push(child)
      return child
    },
    sockets: {
      bind(path) {
        refuseWhenAsked('bind')
        const socket = { path }
        sockets.add(socket)
        const close = () => assert.ok(sockets.delete(socket), `${path} is closed twice`)
        return { descriptor: 10 + sockets.size, inode: 500 + sockets.size, close }
      },
      watch: () => () => {},
      isThere: path => links.has(path) || [...sockets].some(socket => socket.path === path),
      point(link, path) {
        refuseWhenAsked('point')
        links.set(link, path)
      },
      freePort() {
        refuseWhenAsked('bind')
        return ports++
      },
    },
  }
}

const deadly: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGQUIT', 'SIGKILL', 'SIGABRT']

function createFakeChild(pid: number, spec: SpawnSpec): FakeChild {
  const signals: NodeJS.Signals[] = []
  const ignored = new Set<NodeJS.Signals>()
  const listeners: ((word: string, value: string) => void)[] = []
  let isAlive = true
  let settle: (exit: Exit) => void
  const exited = new Promise<Exit>(resolve => {
    settle = resolve
  })

  function exit(how: Exit = { kind: 'code', code: 1 }): void {
    isAlive = false
    settle(how)
  }

  function signal(name: NodeJS.Signals): boolean {
    if (!isAlive) return false
    signals.push(name)
    if (deadly.includes(name) && !ignored.has(name))
      exit({ kind: 'signal', signal: name, number: constants.signals[name] })
    return true
  }

  return {
    pid,
    spec,
    signals,
    exited,
    exit,
    signal,
    signalGroup: signal,
    ignore: name => void ignored.add(name),
    isAlive: () => isAlive,
    groupAlive: () => isAlive,
    lastLines: () => [],
    outputEnded: async () => {},
    onNotify: listener => void listeners.push(listener),
    notify(word, value) {
      for (const listener of listeners) listener(word, value)
    },
  }
}
