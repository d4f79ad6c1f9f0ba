import { splitCommand } from '../config/command-words.ts'

/** Programs that drop requests or jobs on SIGTERM, and the signal on which they finish them, by their manuals. */
const graceful: readonly (readonly [RegExp, NodeJS.Signals])[] = [
  [/^(unicorn|unicorn_rails|rainbows|starman|hypnotoad|nginx)$/, 'SIGQUIT'],
  [/^php-fpm[\d.]*$/, 'SIGQUIT'],
  [/^(apache2|httpd)$/, 'SIGWINCH'],
  [/^haproxy$/, 'SIGUSR1'],
  [/^lighttpd$/, 'SIGINT'],
]
/** Words before the name of a program, which takes their place or gets the signals that they get. */
const launchers = new Set(['exec', 'env', 'bundle', 'carton', 'ruby', 'perl', 'tini', 'dumb-init', '--'])
const shells = /^(ba|da)?sh$/

/** Signal on which a program stops gracefully, if its configuration does not say. */
export function defaultStopSignal(argv: readonly string[]): NodeJS.Signals {
  const name = programName(argv)
  return graceful.find(([program]) => program.test(name))?.[1] ?? 'SIGTERM'
}

function programName([word = '', ...rest]: readonly string[]): string {
  const name = word.split('/').at(-1) ?? ''
  if (shells.test(name) && rest[0] === '-c') {
    const script = splitCommand(rest[1] ?? '')
    return script.ok ? programName(script.words) : name
  }
  const isBefore = launchers.has(name) || /^[A-Za-z_]\w*=/.test(word)
  return isBefore && rest.length > 0 ? programName(rest) : name
}
