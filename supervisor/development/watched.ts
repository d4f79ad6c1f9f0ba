/** Source file names: code, templates, and data that is read at startup. */
const sourceName =
  /(^|\/)(\.env(\.[\w.-]+)?|[^/]+\.(js|mjs|cjs|jsx|ts|mts|cts|tsx|json|py|rb|php|go|rs|java|lua|html|ejs|hbs|pug|njk|jinja2?|css|graphql|sql|ya?ml|toml|ini|conf))$/
/** Names of code, which an app does not write at its start. */
const codeName = /\.(js|mjs|cjs|jsx|ts|mts|cts|tsx|py|rb|php|go|rs|java|lua)$/
/** Directories with files that are not the app's own sources. */
const generatedDirectories = new Set(['node_modules', '__pycache__', 'venv', 'coverage'])
/** Build output directories: watched only if the command names them. */
const buildDirectories = new Set(['dist', 'build', 'out', 'target'])

/** Whether a file is code of the app. */
export function isCode(path: string): boolean {
  return codeName.test(path)
}

/** Whether a path matches an entry of `dev.ignore`: it or a parent directory has that path, or a name that has no slash. */
export function isIgnored(path: string, entries: readonly string[]): boolean {
  return entries.some(entry => {
    const own = entry.replace(/^\.\//, '').replace(/\/$/, '')
    const pattern = own
      .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll(/\*+/g, stars => (stars.length > 1 ? '.*' : '[^/]*'))
    return new RegExp(`${own.includes('/') ? '^' : '(^|/)'}${pattern}(/|$)`).test(path)
  })
}

/** Whether a directory may contain sources. `path` is relative to the app's directory; `argv` is the app's command. */
export function isWatchedDirectory(path: string, argv: readonly string[]): boolean {
  return path.split('/').every(name => {
    if (name === '') return true
    if (name.startsWith('.') || generatedDirectories.has(name)) return false
    return !buildDirectories.has(name) || argv.some(word => word.split('/').includes(name))
  })
}

/** Whether a file is a source of the app: by its name, in a directory that may contain sources. */
export function isWatchedFile(path: string, argv: readonly string[]): boolean {
  const directory = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
  return sourceName.test(path) && isWatchedDirectory(directory, argv)
}
