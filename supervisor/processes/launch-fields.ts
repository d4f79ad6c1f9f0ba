import { bytesOf } from '../base/byte-text.ts'
import { revealed } from '../base/secret.ts'
import type { SpawnSpec } from './child.ts'

/** Number of prlimit64(2) by architecture: Perl calls it by its number. */
const prlimit: Partial<Record<string, string>> = { x64: '302', arm64: '261', riscv64: '261' }

/** Facts about this machine for a launch. */
export interface LaunchFacts {
  /** Supplementary groups of the user that the program runs as. */
  groups: readonly number[]
  /** Whether the process also enlarges the supervisor's stdout, if that is a pipe: Node has no fcntl(2). */
  enlargesOutput: boolean
  umask: number
  /** Soft limit of open files; undefined: that of the supervisor. */
  openFiles: number | undefined
  architecture: string
}

/** Input of adapters/launch.pl for a program. Undefined if a word or variable contains a NUL character. */
export function launchInput(spec: SpawnSpec, facts: LaunchFacts): Buffer | undefined {
  const { argv, env, uid, gid } = spec
  const call = prlimit[facts.architecture]
  const files = call === undefined ? undefined : facts.openFiles
  const fields = [
    String(uid ?? ''),
    String(gid ?? ''),
    [...new Set([gid, ...facts.groups])].join(' '),
    facts.enlargesOutput ? '1' : '',
    facts.umask.toString(8),
    call ?? '',
    String(files ?? ''),
    spec.isBlocking ? '3' : '',
    // only the process itself knows its pid (sd_listen_fds(3))
    env.LISTEN_FDS === undefined ? '' : '1',
    String(argv.length),
    ...argv,
    ...Object.entries(env).map(([name, value]) => `${name}=${revealed(value)}`),
  ]
  if (fields.some(field => field.includes('\0'))) return undefined
  const body = bytesOf(fields.map(field => `${field}\0`).join(''))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}
