import { readFileSync, realpathSync } from 'node:fs'
import { isAbsolute, normalize } from 'node:path'
import { textOf } from '../../base/byte-text.ts'

/** Variables in which start.sh hands over what its shell and Node change: the environment in base64, the soft limit of open files. */
const environmentPart = /^MONOHULL_ENVIRONMENT_\d+$/
const openFiles = 'MONOHULL_OPEN_FILES'

/** Environment that monohull was started with. */
export interface StartEnvironment {
  /** Variables, with the bytes of the system (`bytesOf`). */
  env: Record<string, string | undefined>
  /** Soft limit of open files; undefined if unknown: Node has raised its own. */
  openFiles: number | undefined
  /** Name of the current directory, if it leads through links. */
  directory: string | undefined
}

/** Reads the environment that start.sh, or else this process, was started with. Programs that it starts itself do not see the handover. */
export function readStartEnvironment(own: NodeJS.ProcessEnv): StartEnvironment {
  const files = own[openFiles]
  const bytes = handedOver(own) ?? readOwn('self')
  for (const name of Object.keys(own)) if (isHandover(name)) delete own[name]
  const env = variablesOf(bytes ? parse(bytes) : Object.entries(own))
  return { env, openFiles: Number(files) || undefined, directory: directoryName(env.PWD) }
}

/** Variables that another monohull was started with; undefined if this user may not read them. */
export function readVariablesOf(pid: number): Record<string, string | undefined> | undefined {
  const bytes = readOwn(`${pid}`)
  if (!bytes) return undefined
  const entries = parse(bytes)
  const given = handedOver(Object.fromEntries(entries))
  return variablesOf(given ? parse(given) : entries)
}

/** Environment before start.sh, if it has handed one over. */
function handedOver(own: Record<string, string | undefined>): Buffer | undefined {
  const parts: string[] = []
  for (let part = own[partName(1)]; part !== undefined; part = own[partName(parts.length + 1)]) parts.push(part)
  return parts.length > 0 ? Buffer.from(parts.join(''), 'base64') : undefined
}

function variablesOf(entries: readonly (readonly [string, string | undefined])[]): Record<string, string | undefined> {
  return Object.fromEntries(entries.filter(([name]) => name !== '' && !isHandover(name)))
}

function partName(number: number): string {
  return `MONOHULL_ENVIRONMENT_${number}`
}

function isHandover(name: string): boolean {
  return environmentPart.test(name) || name === openFiles
}

/** PWD, as pwd(1) checks it: an absolute path without `.` and `..` to the current directory. Undefined if it has no links. */
function directoryName(name: string | undefined): string | undefined {
  try {
    const real = process.cwd()
    const isOther = name !== undefined && name !== real && isAbsolute(name) && normalize(name) === name
    return isOther && realpathSync(name) === real ? name : undefined
  } catch {
    return undefined // it does not exist
  }
}

function readOwn(process: string): Buffer | undefined {
  try {
    return readFileSync(`/proc/${process}/environ`)
  } catch {
    return undefined // no /proc, or the process of another user
  }
}

function parse(bytes: Buffer): (readonly [string, string])[] {
  return textOf(bytes)
    .split('\0')
    .map(entry => [entry.slice(0, Math.max(0, entry.indexOf('='))), entry.slice(entry.indexOf('=') + 1)])
}
