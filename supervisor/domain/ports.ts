import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { CertificateFiles, CertificateReading, UsableCertificate } from './certificate.ts'
import type { Exit } from './exit.ts'
import type { Scope } from './x509.ts'

/** What the services need from the world; the adapters provide it. */

/** A running child and its process group (its own, led by it). */
export interface Child {
  readonly pid: number
  /** Settles when the process itself is gone, whoever still holds its pipes. */
  readonly exited: Promise<Exit>
  /** Sends to the process alone. False when it is gone. */
  signal(signal: NodeJS.Signals): boolean
  /** Sends to every process of the group. False when none is left. */
  signalGroup(signal: NodeJS.Signals): boolean
  /** Whether any process of the group is still there (zombies do not count). */
  groupAlive(): boolean
  /** The last lines it printed, oldest first. */
  lastLines(): string[]
  /** Settles when its output was read to the end, or after a moment when somebody still holds it. */
  outputEnded(): Promise<void>
  /** Calls back for each `KEY=value` line that the process writes to its notify descriptor. */
  onNotify(callback: (word: string, value: string) => void): void
}

export interface SpawnSpec {
  /** Name in logs and records: `app.1`, `nginx`. */
  name: string
  argv: readonly string[]
  directory: string
  env: Readonly<Record<string, string>>
  uid: number | undefined
  gid: number | undefined
  /** Descriptors of the supervisor that the child gets as 3, 4, … */
  inherit: readonly number[]
  /** relay: lines with a source in front of them; direct: the supervisor's own stdout and stderr. */
  output: 'relay' | 'direct'
  /** Whether the child gets a notify pipe, after the inherited descriptors. */
  notify: boolean
}

/** Starts a child; throws an OperatorError when the system refuses. */
export type Spawn = (spec: SpawnSpec) => Child

/** A socket that is bound and never accepted from. */
export interface BoundSocket {
  readonly descriptor: number
  /** Number of the socket in the kernel, for a worker to recognise it. */
  readonly inode: number
  close(): void
}

export interface UnixSocketOwner {
  uid: number | undefined
  gid: number | undefined
}

/** Binds unix sockets for worker slots. */
export interface SlotSockets {
  /** Binds `path`, replacing a leftover; only the owner and its group may connect. Closing removes it. */
  bind(path: string): BoundSocket
  /** Whether the socket's path is still there: a server that ends may remove it. */
  isThere(path: string): boolean
  /** Makes `link` lead to `path`, in one step. */
  point(link: string, path: string): void
  /** A free TCP port on 127.0.0.1. */
  freePort(): number
}

/** Asks whether a worker answers. */
export interface Probe {
  /** Whether an HTTP server answered `OPTIONS *` at the address before the deadline. */
  answers(address: WorkerAddress, timeoutMs: number): Promise<boolean>
  /** Whether a GET of the path was answered, with whatever status. */
  answersGet(address: WorkerAddress, path: string, timeoutMs: number): Promise<boolean>
}

/** Finds out where the JavaScript of a hung Node process stands, innermost call first; empty when it cannot. */
export type StackReader = (child: Child, timeoutMs: number) => Promise<string[]>

/** What the kernel says about the memory of the cgroup that everything runs in. */
export interface MemoryGroup {
  /** How many processes its OOM killer has ended so far; 0 where the kernel does not tell. */
  oomKills(): number
  /** Bytes that it may use; undefined without a limit. */
  limit(): number | undefined
}

export type WorkerAddress = { kind: 'unix'; path: string } | { kind: 'tcp'; port: number }

/** Looks up names. */
export interface Resolver {
  /** At least one; rejects when there is none. */
  addressesOf(name: string): Promise<string[]>
  /** How long they hold, where that is known. */
  ttlOf(name: string): Promise<number | undefined>
}

/** What a server elsewhere is asked. */
export interface UpstreamQuestion {
  address: string
  port: number
  path: string
  /** For the Host header. */
  host: string
  tls: { name: string | undefined; verify: boolean; ca?: string | undefined } | undefined
  timeoutMs: number
}

/** Asks a server elsewhere whether it is well. */
export interface UpstreamProbe {
  /** Undefined when it is, else why not. */
  complaintOf(question: UpstreamQuestion): Promise<string | undefined>
}

/** Result of nginx's own test; the output is its words, line by line. */
/** `text`: the whole configuration as nginx read it, files that it includes too; the same text, the same configuration. */
export type ConfigTest = { ok: true; warnings: string[]; text: string } | { ok: false; output: string[] }

/** The configuration on disk and the check of it; see adapters/nginx-files. */
export interface NginxFiles {
  /** Leads to the configuration in use. */
  currentFolder: string
  stage(rendered: Map<string, string>): string
  /** `descriptors`: sockets that are bound already; without them nginx binds the addresses for a moment. `signal` ends it. */
  test(folder: string, descriptors: readonly number[], signal?: AbortSignal): Promise<ConfigTest>
  /** Makes it the one in use, and tells which was before. */
  promote(folder: string): string | undefined
  discard(folder: string): void
}

/** nginx's record of requests that a worker took and did not answer. */
export interface UnansweredLog {
  /** The whole lines that came since the last time. */
  read(): string
  /** Empties it when it has grown large. */
  shorten(): void
}

/** Looks into running processes. */
export interface ProcessView {
  childrenOf(pid: number): number[]
  /** Whether an nginx worker accepts nothing any more. */
  isNginxLeaving(pid: number): boolean
  /** Whether none of a group of nginx workers does. */
  isGroupLeaving(group: number): boolean
  /** How often the processes of a group went to sleep and woke up so far, which is what a server at rest does not do. */
  wakeUpsOf(group: number): number
}

/** The CA that monohull is to itself, where nobody else's certificate serves. Files are for their owner only. */
export interface LocalAuthority {
  /** What the CA of a certificate file may sign for. */
  scopeOf(chain: string): Scope
  /** Makes a CA; `host` is a word of its name. */
  create(files: CertificateFiles, wanted: { host: string; scope: Scope; now: number }): void
  /** Makes a key and has the CA of `authority` sign a certificate for it. */
  sign(files: CertificateFiles, authority: CertificateFiles, wanted: { names: Scope; now: number }): void
}

/** Certificate files, as the services need them. */
export interface CertificateStore {
  list(folder: string): { files: string[]; folders: string[] }
  read(folder: string, names: CertificateFiles): CertificateReading
  localAuthority(): Promise<LocalAuthority>
  remove(files: CertificateFiles): void
  isWritable(folder: string): boolean
  /** Writes what was read to a folder of its own in `folder`: what happens to the mounted files is nothing to nginx. */
  keepCopy(usable: UsableCertificate, folder: string): CertificateFiles
  /** Removes the copies of all others. */
  keepOnly(ids: readonly string[], folder: string): void
}

/** What a service needs to tell the time, talk, and start children. */
export interface Surroundings {
  clock: Clock
  log: Log
  spawn: Spawn
  random: () => number
}
