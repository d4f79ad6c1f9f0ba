import { nearest } from '../base/nearest.ts'

/** Words that people use for commands of monohull. */
const commandWords: Record<string, string> = {
  start: 'monohull run',
  up: 'monohull run',
  serve: 'monohull run',
  exec: 'monohull run',
  develop: 'monohull dev',
  watch: 'monohull dev',
  configtest: 'monohull check',
  validate: 'monohull check',
  test: 'monohull check',
  list: 'monohull status',
  htop: 'monohull top',
  monit: 'monohull top',
  health: 'monohull status',
  log: 'monohull logs',
  tail: 'monohull logs -f',
  history: 'monohull events',
  crashes: 'monohull deaths',
  metrics: 'monohull status --metrics',
  down: 'monohull stop',
  kill: 'monohull stop',
  quit: 'monohull stop',
  certs: 'monohull cert list',
  purge: 'monohull cache purge',
}

/** The same for flags. */
const flagWords: Record<string, string> = {
  '--port': '--http-port (the port of nginx; the app needs none)',
  '-p': '--http-port (the port of nginx; the app needs none)',
  '--host': '--bind-addresses',
  '-w': '--workers',
  '-i': '--workers',
  '--instances': '--workers',
  '-c': '--config',
  '--watch': 'monohull dev',
}

/** Fix for an unknown command, which may be the app's own: `monohull node server.js`. */
export function unknownCommandFix(words: readonly string[], names: readonly string[]): string {
  const [word = '', ...rest] = words
  const known = commandWords[word]
  if (known !== undefined) return `did you mean ${known}?`
  const guess = nearest(word, names) ?? abbreviated(word, names)
  if (guess !== undefined) return `did you mean monohull ${[guess, ...rest].join(' ')}?`
  return `to run it as the app: monohull run ${words.join(' ')}; monohull help lists the commands`
}

/** Shortest name that contains the letters of a short word in their order: `run` for `rn`. */
function abbreviated(word: string, names: readonly string[]): string | undefined {
  if (!/^[a-z]{2,3}$/.test(word)) return undefined
  const letters = new RegExp([...word].join('.*'))
  return names.filter(name => letters.test(name)).sort((one, other) => one.length - other.length)[0]
}

/** Fix for a message of the parser of the command line; undefined if it needs none. */
export function usageFix(message: string, command: string, flags: readonly string[]): string | undefined {
  const [, option] = /unknown option '([^']+)'/.exec(message) ?? []
  if (option !== undefined) {
    const [flag = ''] = option.split('=')
    const guess = flagWords[flag] ?? nearest(flag, flags)
    return guess === undefined
      ? `flags of the app go after its command; monohull help ${command} lists those of monohull`
      : `did you mean ${guess}?`
  }
  if (!message.includes('too many arguments')) return undefined
  if (command === 'stop')
    return 'monohull stop stops everything; to replace the workers of an app: monohull restart NAME; to have fewer: monohull scale N --app NAME'
  return `monohull help ${command} shows what it accepts`
}
