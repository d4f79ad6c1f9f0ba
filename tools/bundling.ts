import { dirname, join } from 'node:path'
import { build, type InputOptions, type OutputOptions, type Plugin } from 'rolldown'
import { minifySync } from 'rolldown/utils'

export const home = dirname(import.meta.dirname)

export const input: InputOptions = {
  cwd: home,
  platform: 'node',
  logLevel: 'warn',
  onLog(_level, log) {
    // it would only fail where it is used
    if (log.code === 'UNRESOLVED_IMPORT') throw new Error(`${log.message}\nfix: npm install`)
    if (log.code === 'IMPORT_IS_UNDEFINED') throw new Error(log.message)
  },
}

export const output: OutputOptions = {
  format: 'cjs',
  entryFileNames: '[name].cjs',
  // a running instance keeps using the files of its own build
  chunkFileNames: '[name]-[hash].cjs',
  minify: { compress: true, mangle: false, codegen: true },
  // import() would load Node's loader of ES modules, and what it loads would stay
  dynamicImportInCjs: false,
}

/** Most that escapes may add to a file: tables of characters are smaller as they are. */
const maxGrowth = 0.1

/**
 * Replaces characters beyond ASCII, all of which are in texts and patterns, by escapes: V8 keeps a source with one of them in twice the
 * memory.
 */
export const ascii: Plugin = {
  name: 'ascii',
  generateBundle(_options, files) {
    const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue
      const code = file.code.replace(/[^\0-\x7f]/g, escaped)
      if (code.length < file.code.length * (1 + maxGrowth)) file.code = code
    }
  },
}

/** Shortens local names in packages, a tenth of the product. In the supervisor they stay, for stack traces that a reader of the source understands. */
export const shortNames: Plugin = {
  name: 'short-names',
  transform(code, id) {
    if (!/\/node_modules\/.*\.[cm]?js$/.test(id)) return
    const { code: minified, errors } = minifySync(id, code, { mangle: { keepNames: true }, compress: false })
    if (errors[0]) this.error(errors[0].message)
    return minified
  },
}

/** What every start loads in place of zod. */
export const acceptingZod: Plugin = {
  name: 'accepting-zod',
  resolveId: id => (id === 'zod' ? join(home, 'supervisor/config/accepting-zod.ts') : undefined),
}

/** Leaves out the tables of Chinese, Japanese and Korean character sets, 250 KB: the admin API reads UTF-8. */
export const withoutCharacterTables: Plugin = {
  name: 'without-character-tables',
  resolveId: (id, importer) => (id === './dbcs-data' && importer?.includes('/iconv-lite/') ? '\0no-tables' : undefined),
  load: id => (id === '\0no-tables' ? 'module.exports = {}' : undefined),
}

/** Builds the schema and the parser into a file of their own in `dir`, so that they need not stay in memory. Returns its name. */
export async function buildConfig(source: string, dir: string, plugins: Plugin[] = []): Promise<string> {
  const { output: files } = await build({
    ...input,
    input: source,
    transform: { target: 'node22' },
    plugins: [...plugins, shortNames, ascii],
    output: { ...output, dir, entryFileNames: '[name]-[hash].cjs', codeSplitting: false },
  })
  return files[0].fileName
}
