import { constants } from 'node:os'
import type { Clock } from '../../supervisor/base/clock.ts'
import { OperatorError } from '../../supervisor/base/errors.ts'
import type { Child, Spawn, SpawnSpec } from '../../supervisor/processes/child.ts'
import type { Exit } from '../../supervisor/processes/exit.ts'
import type { SlotSockets } from '../../supervisor/processes/sockets.ts'
import type { Random } from './random.ts'

/** What a simulated program does, in ms from its start or from the signal. Undefined: never. */
export interface Fate {
  readyAfterMs: number | undefined
  /** Whether it reports its readiness, or only responds to probes. */
  notifies: boolean
  endsAfterMs: number | undefined
  end: Exit
  /** Time from SIGTERM or SIGQUIT to its exit. */
  drainsForMs: number | undefined
  /** Time for which another process of its group outlives it. */
  remnantMs: number
}

/** Simulated process. */
export interface SimulatedChild extends Child {
  readonly spec: SpawnSpec
  isAlive(): boolean
  /** Whether it accepts connections: it is ready and was not told to stop. */
  accepts(): boolean
  /** Ends it, as a kill from outside does. */
  exit(exit: Exit): void
}

/** Simulated machine whose calls fail while `failing` names a probability. */
export interface SimulatedSystem {
  /** Probability with which each call fails. */
  failing: number
  spawn: Spawn
  sockets: SlotSockets
  children: readonly SimulatedChild[]
  alive(name?: string): SimulatedChild[]
  /** Groups that have a process left. */
  groupsLeft(): SimulatedChild[]
  /** Resolves when a process accepts connections on the descriptor. */
  accepted(descriptor: number): Promise<void>
  /** Descriptor of the open socket that a path leads to, through at most ten links; undefined if none is there. */
  resolve(path: string): number | undefined
  /** A client connects: somebody accepts, or it waits in the queue. Returns the descriptor; undefined if it was refused. */
  connect(path: string): number | undefined
  /** Whether a client waits in the queue of an open socket. */
  isWaitedFor(descriptor: number): boolean
  openSockets(): string[]
}

/** Options of a simulated machine. */
export interface SystemOptions {
  clock: Clock
  random: Random
  /** Draws what a program does. */
  fateOf(spec: SpawnSpec): Fate
  trace(event: string): void
}

const killed: Exit = { kind: 'signal', signal: 'SIGKILL', number: constants.signals.SIGKILL }

/** Machine without processes and sockets. */
export function createSystem({ clock, random, fateOf, trace }: SystemOptions): SimulatedSystem {
  const children: SimulatedChild[] = []
  const living = new Set<SimulatedChild>()
  const links = new Map<string, string>()
  const sockets = new Map<number, string>()
  /** Called when some process has become ready. */
  const waiting = new Set<() => void>()
  /** Watches by descriptor, and descriptors with a client in the queue. */
  const watches = new Map<number, () => void>()
  const queued = new Set<number>()
  let descriptors = 10
  let ports = 40_000

  function mayFail(code: string, call: string): void {
    if (!random.chance(system.failing)) return
    throw Object.assign(new OperatorError(`cannot ${call}: ${code}`, { fix: 'none, this is a simulation' }), { code })
  }

  function isAccepted(descriptor: number): boolean {
    return [...living].some(child => child.accepts() && child.spec.inherit[0] === descriptor)
  }

  function onAccept(): void {
    for (const descriptor of queued) if (isAccepted(descriptor)) queued.delete(descriptor)
    for (const look of waiting) look()
  }

  function ring(descriptor: number): void {
    const onWaiting = watches.get(descriptor)
    if (onWaiting) clock.after(0, () => watches.get(descriptor) === onWaiting && queued.has(descriptor) && onWaiting())
  }

  function close(descriptor: number): void {
    if (watches.has(descriptor)) throw new Error(`${descriptor} is closed while it is watched`)
    sockets.delete(descriptor)
    queued.delete(descriptor)
  }

  const system: SimulatedSystem = {
    failing: 0,
    children,
    spawn(spec) {
      mayFail(random.pick(['EAGAIN', 'EMFILE']), 'start a process')
      const child = createChild(1000 + children.length, spec, { clock, fate: fateOf(spec), onAccept })
      children.push(child)
      living.add(child)
      trace(`${spec.name} ${child.pid} started: ${spec.argv.join(' ')} on ${spec.inherit}`)
      void child.exited.then(() => trace(`${spec.name} ${child.pid} exited`))
      return child
    },
    sockets: {
      bind(path) {
        mayFail('EMFILE', 'bind a socket')
        const descriptor = descriptors++
        for (const [other, bound] of sockets)
          if (bound === path) throw new Error(`${other} is bound at ${path} already`)
        sockets.set(descriptor, path)
        return {
          descriptor,
          inode: descriptor,
          close: () => close(descriptor),
        }
      },
      watch({ descriptor }, onWaiting) {
        mayFail('EMFILE', 'watch a socket')
        if (watches.has(descriptor)) throw new Error(`${descriptor} is watched already`)
        watches.set(descriptor, onWaiting)
        ring(descriptor)
        return () => void watches.delete(descriptor)
      },
      isThere: path => links.has(path) || [...sockets.values()].includes(path),
      point(link, path) {
        mayFail('ENOSPC', 'change a link')
        links.set(link, path)
      },
      freePort() {
        mayFail('EMFILE', 'find a port')
        return ports++
      },
    },
    alive(name) {
      for (const child of living) if (!child.isAlive()) living.delete(child)
      return [...living].filter(({ spec }) => name === undefined || spec.name === name)
    },
    groupsLeft: () => children.filter(child => child.groupAlive()),
    accepted(descriptor) {
      if (isAccepted(descriptor)) return Promise.resolve()
      return new Promise(resolve => {
        function look(): void {
          if (!isAccepted(descriptor)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
      })
    },
    resolve(path) {
      let target = path
      for (let hops = 0; hops < 10; hops++) {
        for (const [descriptor, bound] of sockets) if (bound === target) return descriptor
        const next = links.get(target)
        if (next === undefined) return undefined
        target = next
      }
      return undefined
    },
    connect(path) {
      const descriptor = system.resolve(path)
      if (descriptor === undefined) return undefined
      if (!isAccepted(descriptor)) queued.add(descriptor)
      ring(descriptor)
      return descriptor
    },
    isWaitedFor: descriptor => queued.has(descriptor),
    openSockets: () => [...sockets.values()],
  }
  return system
}

interface Life {
  clock: Clock
  fate: Fate
  onAccept: () => void
}

/** A child that follows its fate. */
function createChild(pid: number, spec: SpawnSpec, { clock, fate, onAccept }: Life): SimulatedChild {
  let { remnantMs } = fate
  const listeners: ((word: string, value: string) => void)[] = []
  let isAlive = true
  let isReady = false
  let isStopping = false
  let isRemnant = false
  let settle: (exit: Exit) => void
  const exited = new Promise<Exit>(resolve => {
    settle = resolve
  })
  const timers = new Set<() => void>()

  function later(delayMs: number | undefined, act: () => void): void {
    if (delayMs === undefined) return
    const cancel = clock.after(delayMs, () => {
      timers.delete(cancel)
      if (isAlive) act()
    })
    timers.add(cancel)
  }

  function exit(how: Exit): void {
    if (!isAlive) return
    isAlive = false
    for (const cancel of timers) cancel()
    timers.clear()
    if (remnantMs > 0) {
      isRemnant = true
      const cancel = clock.after(remnantMs, () => {
        isRemnant = false
        timers.delete(cancel)
      })
      timers.add(cancel)
    }
    settle(how)
  }

  function signal(name: NodeJS.Signals): boolean {
    if (!isAlive) return false
    if (name === 'SIGKILL' || name === 'SIGABRT')
      exit({ kind: 'signal', signal: name, number: constants.signals[name] })
    else if ((name === 'SIGTERM' || name === 'SIGQUIT') && !isStopping) {
      isStopping = true
      later(fate.drainsForMs, () => exit({ kind: 'code', code: 0 }))
    }
    return true
  }

  later(fate.readyAfterMs, () => {
    isReady = true
    if (!isStopping) onAccept()
    if (fate.notifies) for (const listener of listeners) listener('READY', '1')
  })
  later(fate.endsAfterMs, () => exit(fate.end))

  return {
    pid,
    spec,
    exited,
    exit,
    isAlive: () => isAlive,
    accepts: () => isAlive && isReady && !isStopping,
    signal,
    signalGroup(name) {
      if (!isAlive && !isRemnant) return false
      if (name === 'SIGKILL') {
        isRemnant = false
        remnantMs = 0
        for (const cancel of timers) cancel()
        timers.clear()
      }
      signal(name)
      return true
    },
    groupAlive: () => isAlive || isRemnant,
    lastLines: () => [],
    outputEnded: async () => {},
    onNotify: listener => void listeners.push(listener),
  }
}

/** Exit of a process killed from outside. */
export const killedOutside = killed
