import { nearest } from '../base/nearest.ts'

const prefix = 'MONOHULL_'

/** Type that a text from the environment or the command line is read as. */
export type ScalarKind = 'number' | 'boolean' | 'list' | 'text'

/** Variables that Kubernetes adds for a Service called monohull. They are not settings. */
const kubernetesVariable = /^MONOHULL_(SERVICE_(HOST|PORT)|PORT)(_|$)/
const ownVariables = new Set(['MONOHULL_CONFIG', 'MONOHULL_IMAGE', 'MONOHULL_EVENT', 'MONOHULL_JOBS'])

/** Variables that identify a worker and its socket. */
export const workerVariable =
  /^(LISTEN_(FDS|PID|FDNAMES)|MONOHULL_(APP|SLOT|WORKERS?|NOTIFY_FD|SOCKET_INODE|REQUEST_LIMIT|STOP_SIGNAL|(GRACEFUL_TIMEOUT|HEARTBEAT|LOAD_INTERVAL)_MS))$/
/** Variables that tell a hook about its event, and a job which run it is. */
const hookVariable = /^MONOHULL_(PID|EXIT|REASON|JOB_RUN)$/

/** Whether an environment variable sets a key. */
export function isSetting(variable: string): boolean {
  return variable.startsWith(prefix) && !ownVariables.has(variable) && !kubernetesVariable.test(variable)
}

/**
 * Text of a variable. One in quotes comes from a file for Docker's `--env-file`, which passes them on. Undefined if it is empty:
 * then the variable counts as not set.
 */
function settingText(text: string | undefined): string | undefined {
  const [, , quoted] = /^(["'])((?:(?!\1).)*)\1$/s.exec(text ?? '') ?? []
  return (quoted ?? text) || undefined
}

/** Environment with the texts of monohull's variables, see `settingText`, and without those of the worker or hook that this process runs in. */
export function readableEnv(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const isChild = env.MONOHULL_SLOT !== undefined || env.MONOHULL_EVENT !== undefined
  const entries = Object.entries(env)
    .filter(([name]) => !isChild || !(workerVariable.test(name) || hookVariable.test(name)))
    .map(([name, text]) => [name, name.startsWith(prefix) ? settingText(text) : text])
  return Object.fromEntries(entries)
}

/** Names of variables that look like misspelt ones of monohull: in lower case, or with a similar prefix. */
export function misspeltVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(env).filter(name => {
    const [word = ''] = name.split('_')
    return name.includes('_') && !name.startsWith(prefix) && nearest(word.toUpperCase(), ['MONOHULL']) !== undefined
  })
}

/** Reads a text as one of the kinds of its key. A text that fits none stays a string, and the schema rejects it. */
export function readScalar(text: string, kinds: ReadonlySet<ScalarKind>): unknown {
  if (kinds.has('number') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (kinds.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (kinds.has('list'))
    return text
      .split(/[,\n]/)
      .map(item => item.trim())
      .filter(item => item !== '')
  return text
}
