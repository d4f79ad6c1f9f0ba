import { basename } from 'node:path'
import { namesPort } from '../processes/environment.ts'

/**
 * Variable with the port of a program that accepts no inherited socket: `flask run`, which reads its options from variables as well.
 * Undefined for other programs, and if the command itself sets a port.
 */
export function portVariableOf(argv: readonly string[]): string | undefined {
  const [program = '', ...words] = argv.map(word => basename(word))
  const isModule = /^python[\d.]*$/.test(program) && words[0] === '-m' && words[1] === 'flask'
  if ((program !== 'flask' && !isModule) || !words.includes('run')) return undefined
  const isFixed = words.some(word => /^(--port(=|$)|-p)/.test(word)) && !argv.some(namesPort)
  return isFixed ? undefined : 'FLASK_RUN_PORT'
}
