import { lines, quote } from './text.ts'

/** File of the server that returns the generation. The number in it is set when the configuration is written to disk. */
export const generationFile = 'rendered/generation.conf'

/** Socket of that server, beside nginx's directory. The supervisor binds it, and nginx inherits it. */
export function generationSocketOf(directory: string): string {
  return `${directory}.sock`
}

const unset = 0

/**
 * Server by which nginx shows the configuration that it runs. `return` comes before everything that could refuse or delay the request,
 * so it responds even with rules for all servers in the user's own files.
 */
export function renderGeneration(socket: string): string {
  return lines([
    'server {',
    `    listen ${quote(`unix:${socket}`)} backlog=64;`,
    '    access_log off;',
    '    keepalive_timeout 0;',
    `    return 200 "generation ${unset}";`,
    '}',
  ])
}

/** Text with its generation set to `number`; without one, as it was rendered. */
export function withGeneration(text: string, number = unset): string {
  return text.replace(/return 200 "generation \d+";/, `return 200 "generation ${number}";`)
}

/** Generation in nginx's response; undefined if it is another one. */
export function readGeneration(body: string | undefined): number | undefined {
  const digits = /^generation (\d+)$/.exec(body?.trim() ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Number of the generation in a directory. */
export function generationIn(directory: string): number {
  return Number(/(\d+)$/.exec(directory)?.[1] ?? unset)
}
