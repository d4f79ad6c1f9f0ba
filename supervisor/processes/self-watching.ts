/** Programs of development servers that watch their own files. */
const servers = new Set([
  'vite',
  'nodemon',
  'webpack-dev-server',
  'react-scripts',
  'storybook',
  'eleventy',
  'air',
  'watchexec',
])
/** Programs that do so with this command. */
const commands: Record<string, readonly string[]> = {
  next: ['dev'],
  nuxt: ['dev'],
  nuxi: ['dev'],
  astro: ['dev'],
  remix: ['dev', 'vite:dev'],
  'react-router': ['dev'],
  gatsby: ['develop'],
  webpack: ['serve', 'watch'],
  rspack: ['serve', 'dev'],
  ng: ['serve'],
  nest: ['start --watch'],
  'vue-cli-service': ['serve'],
  parcel: [''],
  'manage.py': ['runserver'],
  hugo: ['server', 'serve'],
}
/** Flags that make any program do so. */
const flags = new Set(['--watch', '--reload', '--hot', '--livereload', '--debug'])
/** Programs for which `--debug` includes that. */
const debuggers = new Set(['flask', 'quart'])

/** Whether a program restarts itself, or reloads its modules, when its files change. A second one beside it would often fail. */
export function watchesItself(argv: readonly string[]): boolean {
  const words = argv.flatMap((word, index) => (argv[index - 1] === '-c' ? word.split(/\s+/) : [word]))
  const names = words.map(word => (word.split('/').at(-1) ?? '').replace(/\.[cm]?js$/, ''))
  if (names.some(name => servers.has(name)) && !words.includes('build')) return !words.includes('preview')
  if (words.some(word => flags.has(word) && (word !== '--debug' || names.some(name => debuggers.has(name)))))
    return true
  return names.some((name, index) => {
    if (name === 'manage.py' && words.includes('--noreload')) return false
    const rest = words.slice(index + 1).join(' ')
    return (
      Object.hasOwn(commands, name) &&
      (commands[name] ?? []).some(command => `${rest} `.startsWith(command && `${command} `))
    )
  })
}

/** Whether Node opens its inspector on a fixed port, so that a second one beside it fails. */
export function hasInspectorPort(argv: readonly string[], nodeOptions = ''): boolean {
  return [...argv, ...nodeOptions.split(/\s+/)].some(
    word => /^--inspect(-brk|-wait)?(=|$)/.test(word) && !/[=:]0$/.test(word),
  )
}
