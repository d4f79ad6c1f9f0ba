import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'

/** Programs whose first word is a script of the app, unless it is a flag. */
const interpreter = /^(node(js)?|python(\d(\.\d+)?)?|ruby|perl|php|sh|bash|dash)$/
/** Flags of Node with a value as the next word. Others have none, or are written with `=`. */
const valueFlags = new Set(['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions'])
const plainFlag = /^--[a-z-]+=|^--(inspect|enable-source-maps|no-warnings|no-deprecation|trace-warnings|expose-gc)$/

/**
 * Script that a command names as its program's first word, and that does not exist, under this or a longer name: Node and its loaders add
 * extensions. Undefined if there is none, or flags make it unclear which word is the script.
 */
export function findMissingScript([program = '', ...words]: readonly string[], directory: string): string | undefined {
  const name = basename(program)
  if (!interpreter.test(name)) return undefined
  const script = scriptAmong(words, name.startsWith('node'))
  if (script === undefined || script === '-') return undefined
  const path = resolve(directory, script)
  if (statSync(path, { throwIfNoEntry: false })) return undefined
  return namesIn(dirname(path)).some(other => other.startsWith(`${basename(path)}.`)) ? undefined : script
}

function scriptAmong([word, ...rest]: readonly string[], isNode: boolean): string | undefined {
  if (!word?.startsWith('-')) return word
  if (isNode && valueFlags.has(word)) return scriptAmong(rest.slice(1), isNode)
  return isNode && plainFlag.test(word) ? scriptAmong(rest, isNode) : undefined
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
