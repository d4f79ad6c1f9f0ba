/** What a server is made of: code, templates, data that is read at its start. */
const sourceName =
  /(^|\/)(\.env(\.[\w.-]+)?|[^/]+\.(js|mjs|cjs|jsx|ts|mts|cts|tsx|json|py|rb|php|go|rs|java|lua|html|ejs|hbs|pug|njk|jinja2?|css|graphql|sql|ya?ml|toml|ini|conf))$/
/** Folders that others fill. */
const generatedDirectories = new Set(['node_modules', '__pycache__', 'venv', 'coverage'])
/** Folders that a build fills: they count when the app runs out of them. */
const buildDirectories = new Set(['dist', 'build', 'out', 'target'])

/** Whether a folder may hold sources. `path` is relative to the app's folder, `argv` is the app's command. */
export function isWatchedDirectory(path: string, argv: readonly string[]): boolean {
  return path.split('/').every(name => {
    if (name === '') return true
    if (name.startsWith('.') || generatedDirectories.has(name)) return false
    return !buildDirectories.has(name) || argv.some(word => word.split('/').includes(name))
  })
}

/** Whether a change of this file is one of the app: its name is that of a source, in a folder that may hold some. */
export function isWatchedFile(path: string, argv: readonly string[]): boolean {
  const directory = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
  return sourceName.test(path) && isWatchedDirectory(directory, argv)
}
