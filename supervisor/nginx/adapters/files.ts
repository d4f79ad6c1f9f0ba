import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { OperatorError } from '../../base/errors.ts'
import { inlineConstants } from '../constant-maps.ts'
import { modulesDirectory, type NginxFeatures, readFeatures } from '../features.ts'
import { generationFile, generationIn, withGeneration } from '../generation.ts'
import { isCopy } from '../own-files.ts'
import type { ConfigTest, NginxFiles } from '../service.ts'
import { readDirectives } from './binary.ts'
import { knownFeatures, rememberFeatures } from './known-features.ts'
import { nginxDirectories, runNginx } from './run-nginx.ts'

/** Number of generations to keep: the one in use and the previous one. */
const kept = 2

/** Directories of the configuration. */
export interface NginxFilesOptions {
  /** Directory with the static files. */
  source: string
  /** Directory for the generations. The link `current` in it points to the one in use. */
  target: string
}

/** Files in nginx/ that are the same in every configuration, by relative name: nginx.conf, snippets/, lua/. */
export function readStaticFiles(source: string): Map<string, string> {
  const namesIn = (directory: string) => readdirSync(`${source}/${directory}`).map(name => `${directory}/${name}`)
  const names = ['nginx.conf', ...namesIn('snippets'), ...namesIn('lua/monohull')]
  return new Map(names.map(name => [name, readFileSync(`${source}/${name}`, 'utf8')]))
}

/** nginx configuration on disk: staged next to the one in use, tested, then promoted atomically. */
export function createNginxFiles({ source, target }: NginxFilesOptions): NginxFiles {
  const generations = () =>
    readdirSync(target)
      .flatMap(name => /^generation-(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
  /** Number of the last generation. None is used twice: nginx may run one that was discarded. */
  let last = 0

  function removeOld(): void {
    try {
      for (const number of generations().slice(0, -kept))
        rmSync(join(target, `generation-${number}`), { recursive: true, force: true })
    } catch {
      // they go next time; the new one is already in use
    }
  }

  // in memory, so that an upgrade of the installation cannot mix its files with those that this version renders
  const staticFiles = readStaticFiles(source)

  return {
    currentDirectory: join(target, 'current'),
    stage(rendered) {
      mkdirSync(target, { recursive: true })
      last = Math.max(last, generations().at(-1) ?? 0) + 1
      const directory = join(target, `generation-${last}`)
      try {
        const files = inlineConstants(new Map([...staticFiles, ...rendered]), isCopy)
        for (const parent of new Set([...files.keys()].map(dirname)))
          mkdirSync(`${directory}/${parent}`, { recursive: true })
        for (const [name, text] of files) {
          const written = name === generationFile ? withGeneration(text, generationIn(directory)) : text
          writeFileSync(`${directory}/${name}`, written, { mode: isCopy(name) ? 0o600 : 0o666 })
        }
        return directory
      } catch (error) {
        rmSync(directory, { recursive: true, force: true })
        throw error
      }
    },
    async test(directory, descriptors, signal): Promise<ConfigTest> {
      const dump = join(directory, 'dump')
      const { code, stderr } = await runNginx(['-T', '-q', '-e', 'stderr', '-c', join(directory, 'nginx.conf')], {
        sockets: descriptors,
        stdout: dump,
        signal,
      })
      if (code !== 0) {
        const { withSourceLocation } = await import('./source-location.ts')
        const output = lines(stderr || 'nginx -t failed').map(line => withSourceLocation(line, directory))
        return { ok: false, output: output.map(line => withoutStaging(line, directory)) }
      }
      const heading = '# configuration file '
      const text = withGeneration(readFileSync(dump, 'utf8').replaceAll(`${heading}${directory}/`, heading))
      rmSync(dump)
      return { ok: true, warnings: lines(stderr).map(line => withoutStaging(line, directory)), text }
    },
    promote(directory) {
      const link = join(target, 'next')
      const current = join(target, 'current')
      const previous = existsSync(current) ? readlinkSync(current) : undefined
      rmSync(link, { force: true })
      symlinkSync(directory, link)
      renameSync(link, current)
      removeOld()
      return previous
    },
    discard: directory => rmSync(directory, { recursive: true, force: true }),
  }
}

/** Lines of nginx's output without time, pid and the summary. */
function lines(text: string): string[] {
  return text
    .split('\n')
    .filter(line => line.trim() !== '' && !/test failed|test is successful|using inherited sockets/.test(line))
    .map(line => line.replace(/^\S+ \S+ (\[\w+\]) \d+#\d+: /, '$1 '))
}

/** Line with the names of rendered files as `monohull render` prints them. Paths of the user's files stay unchanged. */
function withoutStaging(line: string, directory: string): string {
  return line.replaceAll(`${directory}/`, '')
}

/** Features of the installed nginx, from the record of an earlier start in `file` if it is still valid. Throws an OperatorError if there is no nginx. */
export async function readNginxFeatures(file?: string): Promise<NginxFeatures> {
  const known = file === undefined ? undefined : knownFeatures(file)
  if (known) return known
  const version = runNginx(['-V'])
  // in parallel
  const hasDirective = readDirectives(nginxDirectories)
  const { code, stderr } = await version
  if (code === 0) {
    const features = readFeatures(stderr, existsSync, hasDirective)
    if (file !== undefined) rememberFeatures(file, features, modulesDirectory(stderr))
    return features
  }
  throw new OperatorError(`cannot run nginx: ${stderr}`, {
    fix: 'install it: apt-get install nginx libnginx-mod-http-lua',
  })
}
